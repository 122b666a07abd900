/**
 * What a store answered, as plain facts at the moment it answered: all that processes and the ghost ever learn of a
 * decision. Rows never pass this point; in memory they are live objects and would tell more than was said.
 */
import type { Command, Effect } from "../../core/command.ts";
import type { ErrorCode } from "../../core/errors.ts";
import type { FinalStatus } from "../../core/task.ts";

export interface RowFacts {
  readonly key: number;
  readonly taskId: string;
  readonly ownerId: string;
  readonly fence: number;
  readonly rank: number;
}

export type Notice =
  | (RowFacts & { readonly type: "submitted"; readonly index: number })
  | (RowFacts & {
      readonly type: "admitted";
      /** Its owner ran the turn: it may start without asking. */
      readonly isOwn: boolean;
      readonly members: Readonly<Record<string, readonly string[]>> | null;
    })
  | (RowFacts & { readonly type: "ended"; readonly status: FinalStatus; readonly code: ErrorCode | null })
  /** `watch`: the one thing it is said to wait for. */
  | (RowFacts & { readonly type: "waiting"; readonly watch: string })
  | (RowFacts & {
      readonly type: "confirmed" | "reserved" | "requeued" | "stop-requested" | "suspended" | "quarantined";
    })
  | { readonly type: "refused"; readonly index: number; readonly code: ErrorCode; readonly blockers: readonly number[] }
  | { readonly type: "owner-gone"; readonly ownerId: string }
  | { readonly type: "limit-changed"; readonly node: string; readonly capacity: number };

/** The facts of an effect; null for what nobody outside acts on. */
export function noticeOf(effect: Effect, callerId: string): Notice | null {
  switch (effect.type) {
    case "refused":
      return {
        type: "refused",
        index: effect.index,
        code: effect.code,
        blockers: effect.blockers.map(({ key }) => key),
      };
    case "owner-gone":
      return { type: "owner-gone", ownerId: effect.owner.ownerId };
    case "limit-changed":
      return { type: "limit-changed", node: effect.node, capacity: effect.capacity };
    case "waited":
    case "told":
      return null;
    case "submitted":
      return { type: "submitted", index: effect.index, ...factsOf(effect) };
    case "admitted":
      return {
        type: "admitted",
        isOwn: effect.row.ownerId === callerId || effect.row.wants === "slot",
        members: effect.row.members,
        ...factsOf(effect),
      };
    case "ended":
      return { type: "ended", status: effect.status, code: effect.code, ...factsOf(effect) };
    case "waiting":
      return { type: "waiting", watch: effect.row.watch, ...factsOf(effect) };
    case "suspended":
      // Nobody's; by the end of the turn it may be somebody's again.
      return { type: "suspended", ...factsOf(effect), ownerId: "" };
    case "confirmed":
    case "reserved":
    case "requeued":
    case "stop-requested":
    case "quarantined":
      return { type: effect.type, ...factsOf(effect) };
  }
}

function factsOf({ row }: Extract<Effect, { readonly row: unknown }>): RowFacts {
  return { key: row.key, taskId: row.taskId, ownerId: row.ownerId, fence: row.fence, rank: row.rank };
}

export function noticesOf(effects: readonly Effect[], callerId: string): Notice[] {
  const notices: Notice[] = [];
  for (const effect of effects) {
    const notice = noticeOf(effect, callerId);
    if (notice !== null) notices.push(notice);
  }
  return notices;
}

/** One line of the trace. */
export function describeNotice(notice: Notice): string {
  switch (notice.type) {
    case "refused":
      return `refused #${notice.index} ${notice.code}`;
    case "owner-gone":
      return `gone ${notice.ownerId}`;
    case "limit-changed":
      return `${notice.node}=${notice.capacity}`;
    case "admitted":
      return `${notice.isOwn ? "running" : "starting"} ${notice.taskId}/${notice.key}^${notice.fence}`;
    case "ended":
      return `ended ${notice.taskId}/${notice.key} ${notice.code ?? notice.status}`;
    default:
      return `${notice.type} ${notice.taskId}/${notice.key}`;
  }
}

export function describeCommand(command: Command): string {
  switch (command.type) {
    case "submit": {
      const { row } = command;
      const claims = row.claims.map(
        ({ node, mode, units }) => `${node}${mode === 1 ? "?" : mode === 2 ? "!" : `*${units}`}`,
      );
      const inside = row.ancestors.length > 0 ? ` in ${row.ancestors.join(",")}` : "";
      return `submit ${row.taskId}@${row.rank.toFixed(0)}${inside} [${claims.join(" ")}] ${row.limits.join(" ")}${row.status === "blocked" ? " blocked" : ""}`;
    }
    case "declare":
      return `declare ${command.node}=${command.capacity} by ${command.by}${command.authority ? "!" : ""}`;
    case "owner-join":
      return `join ${command.owner.ownerId}`;
    case "owner-beat":
    case "owner-leave":
      return `${command.type} ${command.ownerId}`;
    case "owner-gone":
      return `owner-gone ${command.ownerId}${command.isProven ? " proven" : ""}`;
    case "withdraw":
      return `withdraw ${command.by}`;
    case "slow-down":
      return `slow-down ${command.node} ${command.forMs}`;
    case "tick":
      return "tick";
    case "note":
      return `note ${command.topic}`;
    default:
      return `${command.type} ${command.key}${"fence" in command ? `^${command.fence}` : ""}${"rank" in command ? `@${command.rank.toFixed(0)}` : ""}`;
  }
}
