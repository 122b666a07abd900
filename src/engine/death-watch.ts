/**
 * While tasks of this process stand in a shared line, it looks for owners that died, and reports them: what they held goes
 * to the next. The reports are turns of this manager, so it sees what they grant.
 *
 *  D1 owners that hold what a task of ours waits for are looked at many times a second, which costs one look at the
 *     process table each; every other owner once a second
 *  D2 the more owners a store has, the more of them look: each looks the rarer, so that all of them together stay cheap
 *  D3 nobody is reported proven gone before the judge said so; an owner whose remains could not be ended is put aside for
 *     a while, and holds up nobody
 */
import type { Owner } from "../core/command.ts";
import type { Awaitable, DeadOwner, StoreView } from "../core/ports.ts";
import type { Agenda } from "./agenda.ts";
import type { ManagerParts } from "./parts.ts";
import { RepeatedLook } from "./repeated-look.ts";
import type { TurnQueue } from "./turn-queue.ts";

/** Between looks while something of others is in our way; with more owners than `CROWD`, as many times longer. */
const LOOK_MS = 30;
const CROWD = 8;
/** Between looks into the store at what is in our way. */
const READ_MS = 240;
/** Between looks at every owner, and at one whose remains could not be ended. */
const ROUND_MS = 1_000;
/** Waiting tasks whose holders are looked for, and holders of each. */
const WAITERS = 32;
const HOLDERS = 64;

export interface DeathWatchWiring {
  readonly parts: Pick<ManagerParts, "clock" | "findDeadOwners">;
  readonly agenda: Agenda;
  readonly turns: TurnQueue;
  readonly ownerId: string;
  readonly view: <T>(read: (view: StoreView) => T) => Awaitable<T>;
}

export class DeathWatch {
  readonly #wiring: DeathWatchWiring;
  /** Counts starts and stops: what was begun before the last of them is dropped. */
  #period = 0;
  #isOn = false;
  readonly #look: RepeatedLook;
  #hasLooked = false;
  /** Owners in our way, and how many there are at all, when the store was last read. */
  #inTheWay: readonly Owner[] = [];
  #owners = 0;
  #readAtMs = 0;
  #roundAtMs = 0;
  /** Owners put aside, until when. */
  readonly #aside = new Map<string, number>();

  constructor(wiring: DeathWatchWiring) {
    this.#wiring = wiring;
    const { agenda, parts } = wiring;
    this.#look = new RepeatedLook({
      agenda,
      clock: parts.clock,
      look: () => this.#judge(),
      delayMs: () => (!this.#isOn ? null : this.#hasLooked ? this.#paceMs() : LOOK_MS),
    });
  }

  start(): void {
    if (this.#isOn || this.#wiring.parts.findDeadOwners === undefined) return;
    this.#isOn = true;
    this.#period++;
    this.#inTheWay = [];
    this.#readAtMs = 0;
    this.#hasLooked = false;
    this.#look.begin();
  }

  stop(): void {
    this.#isOn = false;
    this.#look.stop();
  }

  /** Several processes that wait for one thing should not look at the same moment. */
  #paceMs(): number {
    const paceMs = (this.#inTheWay.length === 0 ? READ_MS : LOOK_MS) * Math.max(1, this.#owners / CROWD);
    return Math.min(paceMs, ROUND_MS) * (0.75 + this.#wiring.parts.clock.random() / 2);
  }

  async #judge(): Promise<void> {
    this.#hasLooked = true;
    const { parts } = this.#wiring;
    const nowMs = parts.clock.nowMs();
    let suspects = this.#inTheWay;
    if (nowMs - this.#readAtMs >= READ_MS * Math.max(1, this.#owners / CROWD)) {
      this.#readAtMs = nowMs;
      const others = await this.#read();
      suspects = this.#inTheWay;
      if (nowMs - this.#roundAtMs >= ROUND_MS) {
        this.#roundAtMs = nowMs;
        suspects = others;
      }
    }
    const judged = suspects.filter(({ ownerId }) => (this.#aside.get(ownerId) ?? 0) <= nowMs);
    if (judged.length === 0) return;
    const period = this.#period;
    const dead = (await parts.findDeadOwners?.(judged)) ?? [];
    for (const each of dead) {
      if (!this.#isOn || period !== this.#period) return;
      await this.#report(each);
    }
  }

  /** Reads who is in our way. Answers every other owner. */
  async #read(): Promise<readonly Owner[]> {
    const { ownerId, view } = this.#wiring;
    const { owners, holders } = await view((store) => ({
      owners: store.owners(),
      holders: holdersInTheWay(store, ownerId),
    }));
    const others = owners.filter((owner) => owner.ownerId !== ownerId);
    this.#owners = owners.length;
    this.#inTheWay = others.filter((owner) => holders.has(owner.ownerId));
    const ids = new Set(others.map((owner) => owner.ownerId));
    for (const id of this.#aside.keys()) if (!ids.has(id)) this.#aside.delete(id);
    return others;
  }

  /** Each turn deals with a page of its rows: again, until the owner has left the store. */
  async #report({ ownerId, isProven }: DeadOwner): Promise<void> {
    const { parts, turns, view } = this.#wiring;
    if (!isProven) this.#aside.set(ownerId, parts.clock.nowMs() + ROUND_MS);
    const period = this.#period;
    for (let rows = Number.POSITIVE_INFINITY; this.#isOn && period === this.#period; ) {
      turns.push({ type: "owner-gone", ownerId, isProven }, null);
      if (!isProven) return;
      await turns.finish();
      const left = await view((store) =>
        store.owners().some((owner) => owner.ownerId === ownerId) ? store.count({ ownerId }) : 0,
      );
      // None left, or a store that does not get on: the next look tries again.
      if (left === 0 || left >= rows) return;
      rows = left;
    }
  }
}

/** Ids of the owners that hold what tasks of this owner wait for. */
function holdersInTheWay(store: StoreView, ownerId: string): ReadonlySet<string> {
  const nodes = new Set<string>();
  for (const { watch } of store.tasks({ ownerId, statuses: ["waiting"], limit: WAITERS }))
    if (watch !== "") nodes.add(watch.endsWith("/") ? watch.slice(0, -1) : watch);
  const holders = new Set<string>();
  for (const node of nodes) for (const { row } of store.holds({ node, limit: HOLDERS })) holders.add(row.ownerId);
  return holders;
}
