/**
 * A seeded stream of commands over one memory ledger: hierarchical names, readers and writers, units, pools, rates, limits,
 * requests from inside holders, owners that vanish, batches, time. For checkers, not a model of real use.
 */

import { seededRandom } from "../clock/virtual-clock.ts";
import { ClaimCache, EXCLUSIVE, type Mode, NESTED_RANK, normaliseClaims, type ResolvedClaim } from "../core/claims.ts";
import type { Command, Effect } from "../core/command.ts";
import type { Ledger } from "../core/ledger.ts";
import type { NewRow, TaskRow } from "../core/row.ts";
import { isFinal } from "../core/row.ts";
import { type TurnInput, turn } from "../core/turn.ts";
import { MapLedger } from "../stores/memory/map-ledger.ts";
import type { World } from "./kernel-check.ts";
import { newOwner } from "./rows.ts";

const OWNERS = ["alpha", "beta", "gamma"] as const;
const LIMITS = ["l:slots:alpha", "l:slots:beta", "l:slots:gamma"] as const;
/** The limit whose number changes. */
const SHRINKING = LIMITS[2];

export type TurnListener = (input: TurnInput, effects: readonly Effect[]) => void;

export class RandomWorld {
  readonly ledger = new MapLedger(1_000);
  readonly totals = { admitted: 0, reserved: 0, refused: 0, carried: 0, maxPassed: 0, deadlocks: 0 };
  /** Told of every turn, for ledgers that are compared with this one. */
  readonly #onTurn: TurnListener | null;
  readonly #random: () => number;
  readonly #cache = new ClaimCache();
  readonly #isNarrow: boolean;
  /** Whether tasks end after everything that runs inside them, as a good owner sees to. */
  readonly #isTidy: boolean;
  #nowMs = 1_000;
  #made = 0;

  constructor(seed: number, onTurn: TurnListener | null = null) {
    this.#onTurn = onTurn;
    this.#random = seededRandom(seed);
    this.#isNarrow = this.#random() < 0.4;
    this.#isTidy = this.#random() < 0.3;
    this.turn([
      ...this.#joins(),
      ...LIMITS.map(
        (node): Command => ({
          type: "declare",
          node,
          kind: "limit",
          capacity: 2 + this.#pick(5),
          by: "alpha",
          authority: false,
        }),
      ),
      { type: "declare", node: "c:build", kind: "capacity", capacity: 4, by: "beta", authority: false },
      { type: "declare", node: "c:gpu", kind: "capacity", capacity: 1, by: "beta", authority: false },
      {
        type: "declare",
        node: "p:ports",
        kind: "pool",
        capacity: 3,
        by: "gamma",
        authority: false,
        members: ["3000", "3001", "3002"],
      },
      { type: "declare", node: "r:api", kind: "rate", capacity: 3, intervalMs: 40, by: "gamma", authority: false },
    ]);
  }

  /** Of owners that have not joined, or were judged gone. */
  #joins(): Command[] {
    return OWNERS.filter((ownerId) => this.ledger.owner(ownerId) === undefined).map((ownerId) => ({
      type: "owner-join",
      owner: newOwner({ ownerId, label: ownerId }),
    }));
  }

  #pick(below: number): number {
    return Math.floor(this.#random() * below);
  }

  #path(): string {
    let path = `f:/r${this.#pick(this.#isNarrow ? 2 : 4)}`;
    for (let depth = this.#pick(this.#isNarrow ? 3 : 4); depth > 0; depth--) path += `/${"abc"[this.#pick(3)]}`;
    return this.#random() < 0.02 ? "f:" : path;
  }

  #claim(): ResolvedClaim {
    const kind = this.#random();
    if (kind < 0.1) return this.#cache.get("c:build", 3, 1 + this.#pick(3));
    if (kind < 0.14) return this.#cache.get("c:gpu", 3, 1);
    if (kind < 0.2) return this.#cache.get("p:ports", 3, 1 + this.#pick(2));
    if (kind < 0.25) return this.#cache.get("r:api", 4, 1 + this.#pick(2));
    return this.#cache.get(this.#path(), (1 + this.#pick(2)) as Mode);
  }

  #claims(): readonly ResolvedClaim[] {
    const claims = normaliseClaims(Array.from({ length: this.#pick(4) }, () => this.#claim()));
    return claims.filter((claim) => claim.mode < 3 || claim.units <= (claim.node === "c:gpu" ? 1 : 3));
  }

  #newRow(over: Partial<NewRow> = {}): NewRow {
    const owner = this.#pick(OWNERS.length);
    const holder = this.#random() < 0.2 ? "guest" : "in-process";
    return {
      workflowId: "w",
      taskId: `t${++this.#made}`,
      agentId: "agent_1",
      ownerId: OWNERS[owner] ?? "alpha",
      kind: "task",
      wants: "locks",
      parentKey: 0,
      ancestors: [],
      holder,
      leaseMs: holder === "guest" && this.#random() < 0.6 ? 20 + this.#pick(600) : 0,
      status: this.#random() < 0.1 ? "blocked" : "waiting",
      rank: this.#random() < 0.3 ? this.#nowMs - this.#pick(500) : this.#nowMs,
      claims: this.#claims(),
      limits: this.#random() < 0.7 ? [LIMITS[owner] ?? "l:slots:alpha"] : [],
      queueTimeoutMs: this.#random() < 0.1 ? 1 + this.#pick(400) : 0,
      orphan: (["suspend", "fail", "vanish"] as const)[this.#pick(3)] ?? "fail",
      placeKey: this.#random() < 0.1 ? `place${this.#pick(3)}` : "",
      label: "",
      payload: null,
      ...over,
    };
  }

  rows(): TaskRow[] {
    return [...this.ledger.rows()];
  }

  look(): World {
    return {
      rows: this.rows(),
      counters: [...this.ledger.counters()],
      carry: this.ledger.carry(),
      nowMs: this.ledger.lastNowMs(),
    };
  }

  turn(commands: readonly Command[], callerId: string = OWNERS[0]): Effect[] {
    const ledger: Ledger = this.ledger;
    const effects = turn(ledger, { commands, nowMs: this.#nowMs, callerId });
    this.#onTurn?.({ commands, nowMs: this.#nowMs, callerId }, effects);
    this.ledger.commit();
    for (const effect of effects) {
      if (effect.type === "admitted") this.totals.admitted++;
      if (effect.type === "reserved") this.totals.reserved++;
      if (effect.type === "refused") this.totals.refused++;
      if (effect.type === "refused" && effect.code === "DEADLOCK") this.totals.deadlocks++;
    }
    if (this.ledger.carry().length > 0) this.totals.carried++;
    return effects;
  }

  /** One turn of one to four random commands. */
  step(): void {
    this.#nowMs += this.#random() < 0.02 ? 11_000 : this.#pick(30);
    const rows = this.rows();
    const commands: Command[] = this.#random() < 0.2 ? this.#joins() : [];
    for (let count = 1 + this.#pick(4); count > 0; count--) {
      const command = this.#command(rows);
      if (command !== null) commands.push(command);
    }
    this.turn(commands, OWNERS[this.#pick(OWNERS.length)]);
    for (const row of this.rows()) this.totals.maxPassed = Math.max(this.totals.maxPassed, row.passed);
  }

  /** Now and then what nobody stands behind is run again, by whoever comes. */
  #again(rows: readonly TaskRow[]): Partial<NewRow> {
    const left = this.#random() < 0.2 ? this.#oneOf(rows, ["suspended"]) : undefined;
    const isRunAgain = left?.ownerId === "" && left.ancestors.length === 0;
    return isRunAgain && !this.#hasLiveInside(rows, left) ? { taskId: left.taskId, again: true } : {};
  }

  #oneOf(rows: readonly TaskRow[], statuses: readonly TaskRow["status"][]): TaskRow | undefined {
    const fitting = rows.filter((row) => statuses.includes(row.status) && row.kind === "task");
    return fitting[this.#pick(fitting.length)];
  }

  #command(rows: readonly TaskRow[]): Command | null {
    const kind = this.#random();
    if (kind < 0.42) return { type: "submit", row: this.#newRow(this.#again(rows)) };
    if (kind < 0.5) return this.#more(rows);
    if (kind < 0.76) return this.#report(rows);
    return this.#other(rows);
  }

  /** A request for more, or a task started from inside a running one. */
  #more(rows: readonly TaskRow[]): Command | null {
    const parent = this.#oneOf(rows, ["running"]);
    if (parent === undefined) return null;
    const ancestors = [parent.key, ...parent.ancestors].slice(0, 4);
    const isTask = this.#random() < 0.4;
    const over = { ownerId: parent.ownerId, parentKey: parent.key, ancestors, status: "waiting" } as const;
    if (isTask)
      return { type: "submit", row: this.#newRow({ ...over, limits: parent.holdsLimits ? [] : parent.limits }) };
    const slot = !parent.holdsLimits && parent.limits.length > 0;
    const row = this.#newRow({
      ...over,
      kind: "request",
      wants: slot ? "slot" : "locks",
      rank: NESTED_RANK,
      claims: slot ? [] : this.#claims(),
      limits: slot ? parent.limits : [],
    });
    return slot && this.rows().some((other) => other.wants === "slot" && other.parentKey === parent.key)
      ? null
      : { type: "submit", row };
  }

  #hasLiveInside(rows: readonly TaskRow[], row: TaskRow): boolean {
    return this.#isTidy && rows.some((other) => other.kind === "task" && other.ancestors.includes(row.key));
  }

  #report(rows: readonly TaskRow[]): Command | null {
    const row = this.#oneOf(rows, ["running", "starting", "ending", "needs_input"]);
    if (row === undefined || this.#hasLiveInside(rows, row)) return null;
    const { key } = row;
    const fence = this.#random() < 0.03 ? row.fence - 1 : row.fence;
    const what = this.#random();
    if (row.status === "starting") return { type: "confirm", key, fence };
    if (row.leaseMs > 0 && this.#random() < 0.5) return { type: "renew", key, fence, leaseMs: 20 + this.#pick(600) };
    if (what < 0.72) return { type: "settle", key, fence, status: "succeeded", result: null };
    if (what < 0.8) return { type: "retry", key, fence };
    if (what < 0.83) return row.status === "running" ? this.#putBack(row, fence) : null;
    if (what < 0.87) return { type: "need-input", key, fence };
    if (what < 0.92) return { type: "give-slot", key, fence };
    return { type: what < 0.97 ? "ending" : "quarantine", key, fence };
  }

  /** Some of its members are used by strangers; now and then its paths lead elsewhere by now. */
  #putBack(row: TaskRow, fence: number): Command {
    // What an ancestor holds is in use by the ancestor: nobody reports it.
    const own = row.ancestors.length > 0 ? {} : (row.members ?? {});
    const taken = Object.entries(own).map(([node, members]) => ({ node, members }));
    const kept = row.claims.filter(({ mode }) => mode > EXCLUSIVE);
    const moved = this.#claims().filter(({ mode }) => mode <= EXCLUSIVE);
    const claims = this.#random() < 0.4 ? normaliseClaims([...kept, ...moved]) : null;
    return { type: "put-back", key: row.key, fence, taken, claims };
  }

  #other(rows: readonly TaskRow[]): Command | null {
    const what = this.#random();
    const picked = rows[this.#pick(rows.length)];
    if (what < 0.3) {
      const row = this.#oneOf(rows, ["blocked", "suspended", "retrying"]);
      if (row === undefined || this.#hasLiveInside(rows, row)) return null;
      return {
        type: "enqueue",
        key: row.key,
        rank: this.#nowMs,
        ownerId: row.ownerId || OWNERS[this.#pick(3)] || "alpha",
      };
    }
    if (what < 0.4)
      return picked === undefined ? null : { type: "rerank", key: picked.key, rank: this.#nowMs - this.#pick(800) };
    if (what < 0.43) {
      const row = this.#oneOf(rows, ["waiting", "blocked", "retrying"]);
      return row === undefined ? null : { type: "suspend", key: row.key };
    }
    if (what < 0.55)
      return picked === undefined || picked.kind === "request"
        ? null
        : { type: "cancel", key: picked.key, status: "cancelled", result: null };
    if (what < 0.65) {
      const requests = rows.filter((row) => row.kind === "request");
      const request = requests[this.#pick(requests.length)];
      const parent = rows.find((row) => row.key === request?.parentKey);
      return request === undefined || (parent && this.#hasLiveInside(rows, parent))
        ? null
        : { type: "release", key: request.key };
    }
    if (what < 0.7) {
      const row = rows.find((other) => other.quarantined) ?? this.#oneOf(rows, ["running"]);
      return row === undefined || this.#hasLiveInside(rows, row)
        ? null
        : { type: "unlock", key: row.key, force: !row.quarantined };
    }
    if (what < 0.78) return this.#otherNumber();
    if (what < 0.81) return { type: "slow-down", node: "r:api", forMs: 1 + this.#pick(200) };
    if (what < 0.83)
      return { type: "owner-gone", ownerId: OWNERS[this.#pick(3)] ?? "alpha", isProven: this.#random() < 0.5 };
    return { type: "tick" };
  }

  #otherNumber(): Command {
    const isUnits = this.#random() < 0.4;
    return {
      type: "declare",
      node: isUnits ? "c:build" : SHRINKING,
      kind: isUnits ? "capacity" : "limit",
      capacity: 1 + this.#pick(5),
      by: "beta",
      authority: true,
    };
  }

  /** Ends everything that runs, again and again, until nobody is left. What remains could never start. */
  runDry(): string[] {
    for (let round = 0; round < 4_000; round++) {
      this.#nowMs += 50;
      const rows = this.rows();
      if (rows.length === 0) return [];
      const commands = this.#joins();
      for (const row of rows) {
        if (commands.length >= 16) break;
        if (isFinal(row.status) || row.kind === "request") continue;
        if (row.status === "suspended")
          commands.push({ type: "cancel", key: row.key, status: "cancelled", result: null });
        if (row.status === "suspended" || this.#hasLiveInside(rows, row)) continue;
        if (row.holdsClaims || row.holdsLimits || row.fence > 0) {
          commands.push({ type: "settle", key: row.key, fence: row.fence, status: "succeeded", result: null });
        } else if (row.status !== "waiting")
          commands.push({ type: "enqueue", key: row.key, rank: this.#nowMs, ownerId: "alpha" });
      }
      this.turn(commands.length === 0 ? [{ type: "tick" }] : commands);
    }
    return this.rows().map((row) => `${row.taskId} ${row.status} watches ${row.watch}`);
  }
}
