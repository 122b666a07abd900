/**
 * Files that sessions hold: guests' locks in the store that everybody shares.
 *
 *  H1  a session, and each of its subagents, is one holder: a row without claims, inside which every hold is a request for
 *      more. So it never blocks itself (L11)
 *  H2  what a Lockyard task that started the host holds never blocks it: the token in the environment stands above it (L11)
 *  H3  several files are granted together or not at all (L2); a request that would close a cycle is refused at once (L12)
 *  H4  every hold lapses by itself, and goes with its session's process; nothing has to be told for it to end
 */
import {
  ancestorsOfToken,
  type Command,
  type Effect,
  type HolderToken,
  holdsLocks,
  isFinal,
  judgeOwners,
  NESTED_RANK,
  type NewRow,
  OwnerJudge,
  type ResolvedClaim,
  randomPart,
  SESSION_AGENT,
  type SessionStore,
  type TaskRow,
} from "../edges/sessions.ts";
import type { Clock } from "../index.ts";

/** Who holds: a session or one of its subagents, as the store knows it. */
export interface Holder {
  /** The session's id: its owner in the store, and the workflow its rows belong to. */
  readonly sessionId: string;
  /** Empty for the session itself. */
  readonly subagent: string;
  /** How people know it. */
  readonly label: string;
  /** The Lockyard task that the host runs in. */
  readonly inside: HolderToken | null;
}

export interface Wanted {
  readonly claims: readonly ResolvedClaim[];
  readonly waitMs: number;
  /** Milliseconds after which it lapses. */
  readonly leaseMs: number;
  /** What it is for: found again when that has ended. */
  readonly purpose: Purpose;
}

/** What one hold is for: kept with its row. */
export interface Purpose {
  readonly toolUseId: string | null;
  /** An edit that is about to be made, or being made; else a file is kept after one. */
  readonly isForEdit: boolean;
}

export type Acquired =
  | { readonly type: "held"; readonly row: TaskRow; readonly hasWaited: boolean }
  | { readonly type: "busy"; readonly blocker: Blocking | null; readonly waitedMs: number }
  | { readonly type: "deadlock"; readonly others: readonly Blocking[]; readonly own: readonly string[] };

export interface Blocking {
  readonly label: string;
  /** Of a session: its id, and whose subagent; else empty. */
  readonly sessionId: string;
  readonly node: string;
  readonly heldMs: number;
}

export interface GoOn {
  readonly renewed: readonly TaskRow[];
  readonly leaseMs: number;
  readonly released: readonly TaskRow[];
}

export interface HoldsOptions {
  readonly store: SessionStore;
  readonly clock: Clock;
}

/** Looks at a row that waits: often at first, and then as often as nobody would notice. */
const LOOK_MS = 20;
const MAX_LOOK_MS = 100;
/** Looks for owners that died meanwhile. */
const JUDGE_MS = 1_000;
const JUDGE_LIMIT_MS = 200;
/** Rows of one session looked at. */
const ROWS = 1_000;

export class Holds {
  readonly #store: SessionStore;
  readonly #clock: Clock;
  readonly #judge: OwnerJudge;

  constructor({ store, clock }: HoldsOptions) {
    this.#store = store;
    this.#clock = clock;
    this.#judge = new OwnerJudge({ clock });
  }

  /** Everything or nothing; waits for it as long as may be. The holder's owner must have joined. */
  async acquire(holder: Holder, wanted: Wanted): Promise<Acquired> {
    const startMs = this.#clock.nowMs();
    const parent = await this.holderRow(holder);
    const row = this.#newRequest(parent, holder, wanted);
    const effects = await this.#store.turn([{ type: "submit", row }]);
    const refused = effects.find((effect) => effect.type === "refused" && effect.index === 0);
    if (refused?.type === "refused") return this.#refusal(refused, parent);
    const found = await this.wait(row, startMs + wanted.waitMs);
    const waitedMs = this.#clock.nowMs() - startMs;
    const hasWaited = effects.some(({ type }) => type === "waiting");
    if (typeof found === "object" && found !== null) return { type: "held", row: found, hasWaited };
    return { type: "busy", blocker: await this.#blockerOf(parent, wanted.claims), waitedMs };
  }

  /** What a holder holds now, unless it is about to lapse. */
  async held({ sessionId, subagent }: Pick<Holder, "sessionId" | "subagent">): Promise<readonly TaskRow[]> {
    const taskId = holderTaskId(subagent);
    const nowMs = this.#clock.nowMs();
    return this.#store.view((view) => {
      const parent = view.task(sessionId, taskId);
      if (parent === undefined || isFinal(parent.status)) return [];
      return view
        .tasks({ ownerId: sessionId, limit: ROWS })
        .filter((row) => row.parentKey === parent.key && row.kind === "request" && isHeld(row, nowMs));
    });
  }

  /** In one step: some holds go on for so long from now, others end. One that lapsed meanwhile is over, and that is as good. */
  async goOn({ renewed, leaseMs, released }: GoOn): Promise<void> {
    const commands = [
      ...renewed.map(({ key, fence }): Command => ({ type: "renew", key, fence, leaseMs })),
      ...released.map(({ key }): Command => ({ type: "release", key })),
    ];
    if (commands.length > 0) await this.#store.turn(commands);
  }

  async release(rows: readonly TaskRow[]): Promise<void> {
    if (rows.length > 0) await this.#store.turn(rows.map(({ key }): Command => ({ type: "release", key })));
  }

  /** Everything a session or subagent holds goes; a subagent is over with it. */
  async end(holder: Pick<Holder, "sessionId" | "subagent">): Promise<void> {
    const { sessionId, subagent } = holder;
    if (subagent === "") return this.release(await this.held(holder));
    const row = await this.#store.view((view) => view.task(sessionId, holderTaskId(subagent)));
    if (row === undefined || isFinal(row.status)) return;
    const { key, fence } = row;
    await this.#store.turn([{ type: "settle", key, fence, status: "cancelled", result: null }]);
  }

  /**
   * Waits until a row that was submitted is granted. Null when it ended, or when the time was over: then it is ended.
   * Whoever waits carries time on: leases end and dead owners are found though nobody else looks.
   */
  async wait({ workflowId, taskId }: Pick<NewRow, "workflowId" | "taskId">, endMs: number): Promise<TaskRow | null> {
    let nextJudgeMs = 0;
    let lookMs = LOOK_MS;
    for (;;) {
      const row = await this.#store.view((view) => view.task(workflowId, taskId));
      if (row === undefined || isFinal(row.status)) return null;
      if (holdsLocks(row.status)) return this.#confirmed(row);
      const nowMs = this.#clock.nowMs();
      if (nowMs >= endMs) return this.#giveUp(row);
      if (nowMs >= nextJudgeMs) {
        nextJudgeMs = nowMs + JUDGE_MS;
        await judgeOwners({ store: this.#store, clock: this.#clock, judge: this.#judge, limitMs: JUDGE_LIMIT_MS });
        continue;
      }
      const dueMs = this.#store.nextDueAtMs();
      if (dueMs > 0 && dueMs <= nowMs) await this.#store.turn([]);
      else {
        await pause(this.#clock, lookMs);
        lookMs = Math.min(MAX_LOOK_MS, lookMs * 1.25);
      }
    }
  }

  /** One admitted by another's turn is ours once we say so; too late, it stands in line again. */
  async #confirmed(row: TaskRow): Promise<TaskRow | null> {
    if (row.status !== "starting") return row;
    const effects = await this.#store.turn([{ type: "confirm", key: row.key, fence: row.fence }]);
    const confirmed = effects.find((effect) => effect.type === "confirmed" && effect.row.key === row.key);
    return confirmed?.type === "confirmed" ? confirmed.row : null;
  }

  /** Null, unless it was granted in this very moment. */
  async #giveUp({ key, kind, workflowId, taskId }: TaskRow): Promise<TaskRow | null> {
    const command: Command =
      kind === "request" ? { type: "release", key } : { type: "cancel", key, status: "cancelled", result: null };
    await this.#store.turn([command]);
    const row = await this.#store.view((view) => view.task(workflowId, taskId));
    return row !== undefined && holdsLocks(row.status) ? this.#confirmed(row) : null;
  }

  /** The row that stands for a session or subagent, made when it first asks for something. */
  async holderRow(holder: Holder): Promise<TaskRow> {
    const { sessionId, subagent } = holder;
    const taskId = holderTaskId(subagent);
    for (let tries = 0; ; tries++) {
      const found = await this.#store.view((view) => {
        const row = view.task(sessionId, taskId);
        if (row !== undefined && holdsLocks(row.status)) return row;
        return holder.inside === null ? [] : ancestorsOfToken(view, holder.inside);
      });
      if ("key" in found) {
        const row = await this.#confirmed(found);
        if (row !== null) return row;
      }
      // Two processes of one session may make it at the same moment: the second finds the first one's.
      else await this.#makeHolder(holder, found);
      if (tries === 3) throw new Error(`no row for ${sessionId}`);
    }
  }

  async #makeHolder({ sessionId, subagent, label }: Holder, ancestors: readonly number[]): Promise<void> {
    const row: NewRow = {
      workflowId: sessionId,
      taskId: holderTaskId(subagent),
      agentId: SESSION_AGENT,
      ownerId: sessionId,
      kind: "task",
      wants: "locks",
      parentKey: ancestors[0] ?? 0,
      ancestors,
      holder: "guest",
      status: "waiting",
      again: true,
      rank: NESTED_RANK,
      claims: [],
      limits: [],
      queueTimeoutMs: 0,
      orphan: "vanish",
      placeKey: "",
      label,
      payload: null,
    };
    await this.#store.turn([{ type: "submit", row }]);
  }

  #newRequest(parent: TaskRow, { label }: Holder, { claims, waitMs, leaseMs, purpose }: Wanted): NewRow {
    return {
      workflowId: parent.workflowId,
      // The separator cannot occur in an id.
      taskId: `${parent.taskId}\u001f${randomPart(() => this.#clock.random())}`,
      agentId: SESSION_AGENT,
      ownerId: parent.ownerId,
      kind: "request",
      wants: "locks",
      parentKey: parent.key,
      ancestors: [parent.key, ...parent.ancestors],
      holder: "guest",
      status: "waiting",
      rank: NESTED_RANK,
      claims,
      limits: [],
      // Who waits may be killed: then its request must not stay.
      queueTimeoutMs: waitMs + JUDGE_MS,
      leaseMs,
      orphan: "vanish",
      placeKey: "",
      label,
      payload: purpose,
    };
  }

  #refusal(refused: Extract<Effect, { type: "refused" }>, parent: TaskRow): Acquired {
    if (refused.code !== "DEADLOCK") throw Object.assign(new Error(refused.message), { code: refused.code });
    const nowMs = this.#clock.nowMs();
    const others = refused.blockers.filter(({ key }) => key !== parent.key && !parent.ancestors.includes(key));
    return {
      type: "deadlock",
      others: others.map(({ label, taskId, node, workflowId, sinceMs }) => ({
        label: label || taskId,
        sessionId: workflowId,
        node,
        heldMs: nowMs - sinceMs,
      })),
      own: refused.blockers.filter(({ key }) => key === parent.key).map(({ node }) => node),
    };
  }

  async #blockerOf(parent: TaskRow, claims: readonly ResolvedClaim[]): Promise<Blocking | null> {
    const nowMs = this.#clock.nowMs();
    return this.#store.view((view) => {
      for (const { node } of claims) {
        for (const { row, claim } of view.holds({ node, limit: 64 })) {
          if (row.holderKey === parent.key || parent.ancestors.includes(row.holderKey)) continue;
          const sessionId = row.agentId === SESSION_AGENT ? row.workflowId : "";
          const label = row.label || `${row.workflowId}/${row.taskId}`;
          return { label, sessionId, node: claim.node, heldMs: nowMs - row.admittedAtMs };
        }
      }
      return null;
    });
  }
}

function holderTaskId(subagent: string): string {
  return subagent === "" ? "main" : `agent-${subagent}`;
}

export function purposeOf({ payload }: TaskRow): Purpose {
  return payload as Purpose; // as #newRequest wrote it
}

/** Held, and not only because nobody has looked at the time yet. */
function isHeld({ status, dueAtMs }: TaskRow, nowMs: number): boolean {
  return holdsLocks(status) && (dueAtMs === 0 || dueAtMs > nowMs);
}

export function pause(clock: Clock, ms: number): Promise<void> {
  return new Promise((resolve) => {
    clock.setTimer(ms, resolve);
  });
}
