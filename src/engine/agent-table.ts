import { agentType } from "../core/agent-type.ts";
import type { Agents } from "../core/agent-types.ts";
import type { Command } from "../core/command.ts";
import { LockyardError } from "../core/errors.ts";
import { limitNode } from "../core/names.ts";
import type { Agent } from "../core/ports.ts";
import type { OrphanPolicy } from "../core/row.ts";
import { MACHINE_LIMIT } from "../core/shares.ts";
import { suggest } from "../core/suggest.ts";
import type { Standing } from "./parts.ts";

/** How the tasks of a manager stand in the store's line: shared by all of them, so that none pays for it. */
export interface EntryStanding {
  /** Keys of the holders in other processes this manager runs inside of, nearest first; known once the store is open. */
  ancestors: readonly number[];
  readonly orphan: OrphanPolicy;
  readonly placeKey: string;
  readonly label: string;
  readonly leaseMs: number;
  /** Whether a task takes the place of what is left of it in the store. */
  readonly runsAgain: (taskId: string) => boolean;
}

export interface AgentEntry {
  readonly agent: Agent;
  /** Who stands behind its tasks. */
  readonly ownerId: string;
  readonly standing: EntryStanding;
  /** Limits its tasks count against: the manager's slots, and the agent's own when it has one. */
  limits: readonly string[];
}

export interface AgentTableOptions {
  readonly managerId: string;
  readonly ownerId: string;
  readonly standing: Standing;
  readonly runsAgain: EntryStanding["runsAgain"];
}

const NOBODY: readonly number[] = [];

/** The agents of one manager: found by agent id, then by type, then `"*"`. */
export class AgentTable {
  readonly #entries = new Map<string, AgentEntry>();
  readonly #slots: string;
  readonly #managerId: string;
  readonly standing: EntryStanding;

  constructor(agents: Agents, { managerId, ownerId, standing, runsAgain }: AgentTableOptions) {
    this.#managerId = managerId;
    const { orphan = "fail", placeKey = "", label = "", leaseMs = 0 } = standing;
    this.standing = { ancestors: NOBODY, orphan, placeKey, label, leaseMs, runsAgain };
    this.#slots = limitNode(`${managerId}:slots`);
    const plain: readonly string[] = [this.#slots];
    for (const [name, agent] of Object.entries(agents)) {
      if (typeof agent?.run !== "function") {
        throw new LockyardError("INVALID_OPTION", `agents.${name} is no agent: it has no run().`, {
          hint: "Make it with functionAgent, threadAgent or commandAgent.",
        });
      }
      const limits = agent.concurrency === undefined ? plain : [this.#slots, this.#limitOf(name)];
      this.#entries.set(name, { agent, ownerId, limits, standing: this.standing });
    }
  }

  get slots(): string {
    return this.#slots;
  }

  /**
   * The store is shared: all its processes together may run only so many tasks at once. What runs inside a task of another
   * process has that task's place among them.
   */
  countForMachine(): void {
    if (this.standing.ancestors.length > 0) return;
    for (const entry of this.#entries.values()) entry.limits = [...entry.limits, MACHINE_LIMIT];
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
