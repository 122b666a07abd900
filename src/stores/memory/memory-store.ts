/** The memory store: one ledger of maps, turns made synchronously. Its locks reach this process only. */
import { BOUNDS } from "../../core/bounds.ts";
import { LIMIT, RATE } from "../../core/claims.ts";
import type { Command, Counter, Effect, Owner } from "../../core/command.ts";
import { errorCode, LockyardError } from "../../core/errors.ts";
import type { Clock, Hold, StoreDescriptor, StoreQuery, StoreView } from "../../core/ports.ts";
import type { TaskRow } from "../../core/row.ts";
import type { SessionStore } from "../../core/session-book.ts";
import { turn } from "../../core/turn.ts";
import { ownMembers } from "./counter-table.ts";
import { MapLedger } from "./map-ledger.ts";
import { MemoryBook } from "./memory-book.ts";

const VIEW_ROWS = 100;

export class MemoryStore implements SessionStore {
  readonly kind = "memory";
  readonly scope = "process";
  readonly location = "memory";
  readonly book = new MemoryBook();
  readonly #ledger: MapLedger;
  readonly #clock: Clock;
  readonly #owners = new Map<
    string,
    { readonly owner: Owner; readonly onEffects: (effects: readonly Effect[]) => void }
  >();
  /** Tasks that met a broken invariant once; the second time they are condemned. */
  readonly #suspects = new Set<number>();
  #callerId = "";
  #isClosed = false;

  constructor(clock: Clock, ledger = new MapLedger(Math.floor(clock.wallMs() * 1_000))) {
    this.#clock = clock;
    this.#ledger = ledger;
  }

  join(owner: Owner, onEffects: (effects: readonly Effect[]) => void): void {
    this.#owners.set(owner.ownerId, { owner, onEffects });
    if (this.#callerId === "") this.#callerId = owner.ownerId;
    this.turnFor(owner.ownerId, [{ type: "owner-join", owner }]);
  }

  turn(commands: readonly Command[]): readonly Effect[] {
    this.#rejoin(this.#callerId, commands);
    return this.turnFor(this.#callerId, commands);
  }

  /** A turn in the name of one of several owners that share this store. */
  turnFor(callerId: string, commands: readonly Command[]): readonly Effect[] {
    if (this.#isClosed) throw new LockyardError("CLOSED", "The store is closed.");
    const effects = this.#carriedOut(callerId, commands);
    // What a turn left to test is tested at once: one turn's worth at a time, so that each stays short.
    while (this.#ledger.carry().length > 0) {
      const more = this.#carriedOut(callerId, TICK);
      // A refusal of this turn is nobody's command: told on, it would be taken for that of the caller's first.
      for (const effect of more) if (effect.type !== "refused") effects.push(effect);
      if (more.some(({ type }) => type === "refused")) break;
    }
    this.#tellOthers(callerId, effects);
    return effects;
  }

  /** An owner that was judged gone and lives hears of it with its next beat; what it submits before must not be lost (L13). */
  #rejoin(callerId: string, commands: readonly Command[]): void {
    const owner = this.#owners.get(callerId)?.owner;
    if (owner === undefined || this.#ledger.owner(callerId) !== undefined) return;
    if (commands.some(({ type }) => type === "submit" || type === "enqueue"))
      this.#attempt(callerId, [{ type: "owner-join", owner }]);
  }

  #carriedOut(callerId: string, commands: readonly Command[]): Effect[] {
    return this.#attempt(callerId, commands) ?? this.#oneByOne(callerId, commands);
  }

  /** Null when an invariant failed and the turn was undone. */
  #attempt(callerId: string, commands: readonly Command[]): Effect[] | null {
    try {
      const effects = turn(this.#ledger, { commands, nowMs: this.#clock.nowMs(), callerId });
      this.#ledger.commit();
      return effects;
    } catch (error) {
      this.#ledger.undo();
      if (errorCode(error) !== "BUG" || commands.length === 0) throw error;
      return null;
    }
  }

  /** After a broken invariant: every command has a turn of its own, and the guilty one is refused. */
  #oneByOne(callerId: string, commands: readonly Command[]): Effect[] {
    const all: Effect[] = [];
    for (const [index, command] of commands.entries()) {
      for (const effect of this.#alone(callerId, command)) all.push("index" in effect ? { ...effect, index } : effect);
    }
    return all;
  }

  #alone(callerId: string, command: Command): readonly Effect[] {
    const effects = this.#attempt(callerId, [command]);
    if (effects !== null) return effects;
    const key = "key" in command ? command.key : 0;
    const { editedKey } = this.#ledger;
    let condemned: readonly Effect[] = [];
    if (editedKey !== 0 && editedKey !== key) {
      // It broke over a task that only stood in the way: that one is ended, and the command tried once more.
      condemned = this.#condemn(callerId, editedKey);
      const again = condemned.length === 0 ? null : this.#attempt(callerId, [command]);
      if (again !== null) return [...condemned, ...again];
    }
    const message = `An invariant broke while carrying out ${command.type}; nothing changed.`;
    const refused: Effect = { type: "refused", index: 0, code: "BUG", message, blockers: [] };
    return [...condemned, refused, ...(key === 0 ? [] : this.#suspect(callerId, key))];
  }

  /** The same task a second time: it is ended. */
  #suspect(callerId: string, key: number): readonly Effect[] {
    if (this.#suspects.delete(key)) return this.#condemn(callerId, key);
    if (this.#suspects.size >= BOUNDS.finishedHistory) this.#suspects.clear();
    this.#suspects.add(key);
    return [];
  }

  #condemn(callerId: string, key: number): readonly Effect[] {
    return (this.#attempt(callerId, [{ type: "condemn", key }]) ?? []).filter(({ type }) => type !== "refused");
  }

  #tellOthers(callerId: string, effects: readonly Effect[]): void {
    if (this.#owners.size < 2) return;
    for (const [ownerId, { onEffects }] of this.#owners) {
      if (ownerId === callerId) continue;
      const theirs = effects.filter((effect) => "row" in effect && effect.row.ownerId === ownerId);
      if (theirs.length > 0) onEffects(theirs);
    }
  }

  nextDueAtMs(): number {
    return this.#ledger.nextDueAtMs();
  }

  view<T>(read: (view: StoreView) => T): T {
    return read(new MemoryView(this.#ledger));
  }

  close(): void {
    this.#isClosed = true;
    this.#owners.clear();
  }
}

const TICK: readonly Command[] = [{ type: "tick" }];

class MemoryView implements StoreView {
  readonly #ledger: MapLedger;

  constructor(ledger: MapLedger) {
    this.#ledger = ledger;
  }

  tasks(query: StoreQuery): TaskRow[] {
    const rows: TaskRow[] = [];
    for (const row of this.#matching(query)) {
      rows.push(row);
      if (rows.length === (query.limit ?? VIEW_ROWS)) break;
    }
    return rows;
  }

  count(query: StoreQuery): number {
    let count = 0;
    for (const _ of this.#matching(query)) count++;
    return count;
  }

  *#matching({ workflowId, statuses, ownerId }: StoreQuery): Generator<TaskRow> {
    for (const row of this.#ledger.rows()) {
      if (workflowId !== undefined && row.workflowId !== workflowId) continue;
      if (ownerId !== undefined && row.ownerId !== ownerId) continue;
      if (statuses !== undefined && !statuses.includes(row.status)) continue;
      yield row;
    }
  }

  task(workflowId: string, taskId: string): TaskRow | undefined {
    return this.#ledger.find(workflowId, taskId);
  }

  /** The memory store keeps no results. */
  result(): unknown {
    return undefined;
  }

  typicalRunMs(): null {
    return null;
  }

  note(topic: string): unknown {
    return this.#ledger.notes.get(topic);
  }

  holds({ node, limit = VIEW_ROWS }: { readonly node?: string; readonly limit?: number }): Hold[] {
    const holds: Hold[] = [];
    for (const row of this.#ledger.rows()) {
      if (!row.holdsClaims) continue;
      for (const claim of row.claims) {
        if (holds.length === limit) return holds;
        if (claim.mode === RATE || claim.mode === LIMIT || (node !== undefined && !touches(claim.node, node))) continue;
        holds.push({ row, claim, members: ownMembers(row, claim.node) });
      }
    }
    return holds;
  }

  watchers(node: string, limit: number): TaskRow[] {
    return this.#ledger.watchers(node, limit);
  }

  position(row: TaskRow): number {
    return this.#ledger.position(row);
  }

  counters(): Counter[] {
    return [...this.#ledger.counters()];
  }

  owners(): Owner[] {
    return [...this.#ledger.owners()];
  }

  workflows(limit: number): { workflowId: string; total: number; live: number }[] {
    const live = new Map<string, number>();
    for (const row of this.#ledger.rows()) live.set(row.workflowId, (live.get(row.workflowId) ?? 0) + 1);
    return [...live].slice(0, limit).map(([workflowId, count]) => ({ workflowId, total: count, live: count }));
  }
}

function touches(held: string, node: string): boolean {
  return held === node || held.startsWith(`${node}/`) || node.startsWith(`${held}/`);
}

/** Opens a memory store. `turn` answers synchronously. */
export function openMemoryStore({ clock }: { readonly clock: Clock }): MemoryStore {
  return new MemoryStore(clock);
}

/** State in this process only: the default of the library. */
export function memoryStore(): StoreDescriptor {
  return { open: async ({ clock }) => openMemoryStore({ clock }) };
}
