import { agentType } from "../core/agent-type.ts";
import type { Agents } from "../core/agent-types.ts";
import type { Command } from "../core/command.ts";
import { LockyardError } from "../core/errors.ts";
import { limitNode } from "../core/names.ts";
import type { Agent } from "../core/ports.ts";
import { suggest } from "../core/suggest.ts";

export interface AgentEntry {
  readonly agent: Agent;
  /** Who stands behind its tasks. */
  readonly ownerId: string;
  /** Limits its tasks count against: the manager's slots, and the agent's own when it has one. */
  readonly limits: readonly string[];
}

/** The agents of one manager: found by agent id, then by type, then `"*"`. */
export class AgentTable {
  readonly #entries = new Map<string, AgentEntry>();
  readonly #slots: string;
  readonly #managerId: string;

  constructor(agents: Agents, managerId: string, ownerId: string) {
    this.#managerId = managerId;
    this.#slots = limitNode(`${managerId}:slots`);
    const plain: readonly string[] = [this.#slots];
    for (const [name, agent] of Object.entries(agents)) {
      if (typeof agent?.run !== "function") {
        throw new LockyardError("INVALID_OPTION", `agents.${name} is no agent: it has no run().`, {
          hint: "Make it with functionAgent, threadAgent or commandAgent.",
        });
      }
      const limits = agent.concurrency === undefined ? plain : [this.#slots, this.#limitOf(name)];
      this.#entries.set(name, { agent, ownerId, limits });
    }
  }

  get slots(): string {
    return this.#slots;
  }

  find(agentId: string): AgentEntry | undefined {
    return this.#entries.get(agentId) ?? this.#entries.get(agentType(agentId)) ?? this.#entries.get("*");
  }

  /** What to say about an id that finds nothing. */
  hint(agentId: string): string {
    const names = [...this.#entries.keys()];
    const near = suggest(agentType(agentId), names) ?? suggest(agentId, names);
    if (near !== undefined) return `Did you mean "${near}"?`;
    return names.length === 0
      ? "Pass agents: defineAgents({ … }) to the constructor."
      : `Agents: ${names.slice(0, 10).join(", ")}${names.length > 10 ? ", …" : ""}.`;
  }

  /** Declares the agents' own limits. */
  declarations(by: string): Extract<Command, { type: "declare" }>[] {
    return [...this.#entries].flatMap(([name, { agent }]) =>
      agent.concurrency === undefined
        ? []
        : [
            {
              type: "declare",
              node: this.#limitOf(name),
              kind: "limit",
              capacity: agent.concurrency,
              by,
              authority: false,
            } as const,
          ],
    );
  }

  async close(): Promise<void> {
    const closing = [...new Set([...this.#entries.values()].map(({ agent }) => agent))].map((agent) => agent.close?.());
    await Promise.allSettled(closing);
  }

  #limitOf(name: string): string {
    return limitNode(`${this.#managerId}:agent ${name}`);
  }
}
