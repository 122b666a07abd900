/**
 * One prompt to one agent, from the first message to its last: what the agent says becomes output and progress, what it
 * asks for is locked before it is allowed.
 *
 *  V1 a permission is answered only when its locks are held; one that cannot be had is refused, and the turn has failed
 *     unless the agent got it later after all
 *  V2 everything it prints goes through the redactor before anybody hears it
 *  V3 what it says is data: no message makes this throw, and everything remembered is bounded
 */
import { BOUNDS } from "../../core/bounds.ts";
import { errorCode, LockyardError } from "../../core/errors.ts";
import { readMember } from "../../core/member.ts";
import type { AgentContext } from "../../core/ports.ts";
import type { JsonObject } from "../../core/task.ts";
import { neutralise } from "../../process/neutralise.ts";
import type { Redactor } from "../../process/redact.ts";
import { INVALID_PARAMS, METHOD_NOT_FOUND, RpcError, type RpcHandler } from "./json-rpc.ts";
import { judge, optionFor, type Rules } from "./permission.ts";
import { Said } from "./said.ts";
import { TaskLocks } from "./task-locks.ts";
import { changesFiles, isOver, mergedCall, type ToolCall } from "./tool-call.ts";
import { writeTextFile } from "./write-file.ts";

export interface ConversationParts {
  readonly ctx: AgentContext;
  readonly rules: Rules;
  readonly redactor: Redactor;
  readonly lockTimeoutMs: number | undefined;
}

const CANCELLED: JsonObject = { outcome: { outcome: "cancelled" } };
const MAX_WARNINGS = 5;

export class Conversation implements RpcHandler {
  readonly said: Said;
  readonly #parts: ConversationParts;
  readonly #locks: TaskLocks;
  readonly #calls = new Map<string, ToolCall>();
  /** Calls that were allowed, or that change files without having asked: each is told once. */
  readonly #asked = new Set<string>();
  /** Files it was refused because their locks could not be had. */
  readonly #missed = new Map<string, LockyardError>();
  #fraction = 0;
  #warnings = 0;
  #isCancelled = false;

  constructor(parts: ConversationParts) {
    this.#parts = parts;
    this.#locks = new TaskLocks(parts.ctx, parts.lockTimeoutMs);
    this.said = new Said(parts.ctx, parts.redactor);
  }

  /** What it could not do because of a lock: the turn has failed although the agent may not say so. */
  get missed(): LockyardError | undefined {
    return this.#missed.values().next().value;
  }

  /** From now on every question is answered with `cancelled`, as the protocol demands. */
  cancel(): void {
    this.#isCancelled = true;
  }

  notification(method: string, params: unknown): void {
    this.#parts.ctx.heartbeat();
    if (method !== "session/update" || this.#isCancelled) return;
    const update = readMember(params, "update");
    switch (readMember(update, "sessionUpdate")) {
      case "agent_message_chunk":
        this.said.message(readMember(readMember(update, "content"), "text"));
        return;
      case "tool_call":
      case "tool_call_update":
        this.#toolCall(update);
        return;
      case "plan":
        this.#plan(readMember(update, "entries"));
        return;
      case "usage_update":
        this.said.cost(readMember(update, "cost"));
    }
  }

  async request(method: string, params: unknown): Promise<JsonObject> {
    this.#parts.ctx.heartbeat();
    switch (method) {
      case "session/request_permission":
        return this.#permission(params);
      case "fs/write_text_file":
        return this.#write(params);
      default:
        throw new RpcError(METHOD_NOT_FOUND, `${method} is not offered`);
    }
  }

  malformed(line: string): void {
    this.said.noise(line);
    this.#warn(`printed a line that is no message: ${this.#shown(line).slice(0, 200)}`);
  }

  tooLong(): void {
    this.#warn(`sent a message of more than ${BOUNDS.acpLineBytes.toLocaleString("en")} bytes, which is not read`);
  }

  #toolCall(update: unknown): void {
    const call = this.#remember(update);
    if (call === null) return;
    this.#progress(this.#nameOf(call));
    if (changesFiles(call) && !this.#asked.has(call.id) && call.status !== "pending") this.#notAsked(call);
    if (!isOver(call)) return;
    this.said.toolCall(this.#nameOf(call), call);
    this.#calls.delete(call.id);
    this.#asked.delete(call.id);
    this.#locks.over(call.id).catch((error: unknown) => this.#warn(`kept a lock: ${String(error)}`));
  }

  /** Null when it names no call, says no more than that one is over, or when too many are open. */
  #remember(update: unknown): ToolCall | null {
    const id = readMember(update, "toolCallId");
    const known = typeof id === "string" ? this.#calls.get(id) : undefined;
    const call = mergedCall(known, update, this.#parts.rules.cwd);
    if (call === null) return null;
    if (known === undefined) {
      if (this.#calls.size >= BOUNDS.acpItems) return null;
      const isEcho = isOver(call) && readMember(update, "sessionUpdate") === "tool_call_update";
      if (isEcho) return null;
      this.said.toolCall(this.#nameOf(call), call);
    }
    this.#calls.set(call.id, call);
    return call;
  }

  #notAsked(call: ToolCall): void {
    this.#asked.add(call.id);
    if (call.paths.length > 0 && call.paths.every((place) => this.#locks.covers(place))) return;
    this.#warn(`changes files without asking, so they are not locked: ${this.#shown(call.title || call.id)}`);
  }

  #plan(entries: unknown): void {
    const list: readonly unknown[] = Array.isArray(entries) ? entries : [];
    const done = list.filter((entry) => readMember(entry, "status") === "completed").length;
    const current = list.find((entry) => readMember(entry, "status") === "in_progress");
    const text = readMember(current, "content");
    if (list.length > 0) this.#fraction = done / list.length;
    this.#progress(typeof text === "string" ? this.#shown(text) : undefined);
  }

  #progress(detail: string | undefined): void {
    this.#parts.ctx.progress(this.#fraction, detail?.slice(0, 200));
  }

  async #permission(params: unknown): Promise<JsonObject> {
    const options = readMember(params, "options");
    const call = this.#remember(readMember(params, "toolCall"));
    if (call === null) throw new RpcError(INVALID_PARAMS, "the request names no tool call");
    this.#asked.add(call.id);
    this.#progress(this.#nameOf(call));
    const judgement = judge(call, this.#parts.rules);
    if (!judgement.allow) {
      this.said.refused(this.#shown(judgement.why));
      return chosen(optionFor("reject", options));
    }
    const isLocked = await this.#lock(judgement.files, () => this.#locks.takeForCall(call.id, judgement.claims));
    if (this.#isCancelled || this.#parts.ctx.signal.aborted) return CANCELLED;
    return chosen(optionFor(isLocked ? "allow" : "reject", options));
  }

  /** False when they cannot be had: told, and remembered for the end of the turn. */
  async #lock(files: readonly string[], others: () => Promise<void>): Promise<boolean> {
    if (this.#isCancelled) return false;
    const key = files.join("\0");
    try {
      await this.#locks.takeFiles(files);
      await others();
      this.#missed.delete(key);
      return true;
    } catch (error) {
      if (this.#isCancelled || this.#parts.ctx.signal.aborted) return false;
      const known = error instanceof Error ? error : new Error(String(error));
      const missed = asMissed(known);
      if (this.#missed.size < BOUNDS.acpItems) this.#missed.set(key, missed);
      this.said.refused(missed.message);
      this.#parts.ctx.log.warn(`${missed.message} The agent was refused what it asked for.`);
      return false;
    }
  }

  async #write(params: unknown): Promise<JsonObject> {
    const { rules } = this.#parts;
    const call = mergedCall(undefined, { toolCallId: "fs", kind: "edit", locations: [params] }, rules.cwd);
    const content = readMember(params, "content");
    const [place] = call?.paths ?? [];
    if (call === null || place === undefined || typeof content !== "string") {
      throw new RpcError(INVALID_PARAMS, "a path and a text are needed");
    }
    const judgement = judge(call, { ...rules, claimsFor: undefined });
    if (!judgement.allow) {
      this.said.refused(this.#shown(judgement.why));
      throw new RpcError(INVALID_PARAMS, judgement.why);
    }
    if (!(await this.#lock([place], async () => undefined))) {
      throw new RpcError(INVALID_PARAMS, this.missed?.message ?? "the task is being stopped");
    }
    await writeTextFile(place, content, rules.permissions === "full" ? undefined : rules.cwd);
    return {};
  }

  #nameOf({ kind, title }: ToolCall): string {
    return this.#shown(`${kind} ${title}`.trim()).slice(0, 200);
  }

  #shown(text: string): string {
    return neutralise(this.#parts.redactor.text(text));
  }

  #warn(what: string): void {
    this.#warnings++;
    if (this.#warnings > MAX_WARNINGS) return;
    const more = this.#warnings === MAX_WARNINGS ? " Further ones are not told." : "";
    this.#parts.ctx.log.warn(`The agent of ${this.#parts.ctx.taskId} ${what}.${more}`);
  }
}

function chosen(optionId: string | undefined): JsonObject {
  return optionId === undefined ? CANCELLED : { outcome: { outcome: "selected", optionId } };
}

function asMissed(error: Error): LockyardError {
  return error instanceof LockyardError
    ? error
    : new LockyardError(errorCode(error) === "DEADLOCK" ? "DEADLOCK" : "AGENT_FAILED", error.message, { cause: error });
}
