/** Planted bugs, first kind: ledgers that lie to the kernel. */
import { LIMIT, type ResolvedClaim, SHARED, UNITS } from "../../../core/claims.ts";
import type { Blocker, Counter, Owner } from "../../../core/command.ts";
import type { CarryEntry, Line, Place } from "../../../core/ledger.ts";
import type { TaskRow } from "../../../core/row.ts";
import { FaultyLedger } from "../faulty-ledger.ts";

/** First fence of every simulated store. */
const FENCE = 1_000;

export class ConflictIgnoresBelow extends FaultyLedger {
  override conflict(claim: ResolvedClaim, except: readonly number[]): string | null {
    const node = super.conflict(claim, except);
    return node?.endsWith("/") ? null : node;
  }
}

export class ConflictIgnoresAbove extends FaultyLedger {
  override conflict(claim: ResolvedClaim, except: readonly number[]): string | null {
    const node = super.conflict(claim, except);
    return node !== null && claim.ancestors.includes(node) ? null : node;
  }
}

export class ConflictIgnoresReaders extends FaultyLedger {
  override conflict(claim: ResolvedClaim, except: readonly number[]): string | null {
    return claim.mode === SHARED ? null : super.conflict(claim, except);
  }
}

export class ConflictForgetsExceptions extends FaultyLedger {
  override conflict(claim: ResolvedClaim): string | null {
    return super.conflict(claim, []);
  }
}

export class HoldersAreNone extends FaultyLedger {
  override holders(): readonly never[] {
    return [];
  }
}

export class HoldersForgetExceptions extends FaultyLedger {
  override holders(claim: ResolvedClaim, _except: readonly number[], limit: number): readonly Blocker[] {
    return super.holders(claim, [], limit);
  }
}

export class HeadSkipsFirst extends FaultyLedger {
  override head(line: Line, afterRank: number, afterKey: number): TaskRow | undefined {
    const first = super.head(line, afterRank, afterKey);
    return first !== undefined && afterRank === Number.NEGATIVE_INFINITY
      ? super.head(line, first.rank, first.key)
      : first;
  }
}

export class LinesForgetBelow extends FaultyLedger {
  override lines(nodes: Iterable<string>): readonly Line[] {
    return super.lines([...nodes].filter((node) => !node.endsWith("/")));
  }
}

export class LinesForgetAbove extends FaultyLedger {
  override lines(nodes: Iterable<string>): readonly Line[] {
    return super.lines([...nodes].filter((node) => node !== "f:/a/"));
  }
}

export class LinesLoseLast extends FaultyLedger {
  override lines(nodes: Iterable<string>): readonly Line[] {
    const lines = super.lines(nodes);
    return lines.length > 1 ? lines.slice(0, -1) : lines;
  }
}

export class LinesForgetLimits extends FaultyLedger {
  override lines(nodes: Iterable<string>): readonly Line[] {
    return super.lines(nodes).filter(({ mode }) => mode !== LIMIT);
  }
}

export class CarryIsDropped extends FaultyLedger {
  override setCarry(entries: readonly CarryEntry[]): void {
    super.setCarry(entries.slice(0, -1));
  }
}

export class FenceRepeats extends FaultyLedger {
  #last = FENCE;
  #granted = 0;

  override nextFence(): number {
    if (++this.#granted % 7 !== 0) this.#last = super.nextFence();
    return this.#last;
  }
}

export class KeyRepeats extends FaultyLedger {
  #last = 0;
  #given = 0;

  override nextKey(): number {
    if (++this.#given % 13 !== 0) this.#last = super.nextKey();
    return this.#last;
  }
}

export class DropIsForgotten extends FaultyLedger {
  #dropped = 0;

  override drop(row: TaskRow): void {
    if (++this.#dropped % 11 !== 0) super.drop(row);
  }
}

export class UnitsAreGivenBackEarly extends FaultyLedger {
  override hold(row: TaskRow): void {
    super.hold(row);
    const node = row.claims.find((claim) => claim.mode === UNITS)?.node;
    const counter = node === undefined ? undefined : this.counter(node);
    if (counter !== undefined && counter.used > 0) counter.used--;
  }
}

export class UnitsOfStrangersCount extends FaultyLedger {
  override unitsHeld(node: string, row: TaskRow): number {
    return Math.max(super.unitsHeld(node, row), super.counter(node)?.used ?? 0);
  }
}

export class UnitsOfAncestorsDoNotCount extends FaultyLedger {
  override unitsHeld(): number {
    return 0;
  }
}

export class UnitsAreNotPassedOn extends FaultyLedger {
  override heldInside(): readonly never[] {
    return [];
  }
}

export class LimitIsOffByOne extends FaultyLedger {
  override putCounter(counter: Counter): void {
    if (counter.kind === "limit" && counter.used === counter.capacity) counter.used--;
    super.putCounter(counter);
  }
}

export class ReservationsAreNone extends FaultyLedger {
  override reservations(): readonly TaskRow[] {
    return [];
  }
}

export class NobodyReserves extends FaultyLedger {
  override nextToReserve(): TaskRow | undefined {
    return undefined;
  }
}

export class HeadsAreNone extends FaultyLedger {
  override heads(): readonly TaskRow[] {
    return [];
  }
}

export class NobodyWaits extends FaultyLedger {
  override hasWaiting(): boolean {
    return false;
  }
}

export class DueRowsAreNone extends FaultyLedger {
  override dueRows(): readonly TaskRow[] {
    return [];
  }
}

export class DueCountersAreNone extends FaultyLedger {
  override dueCounters(): readonly Counter[] {
    return [];
  }
}

export class RequestsAreNone extends FaultyLedger {
  override requestsOf(): readonly TaskRow[] {
    return [];
  }
}

export class NobodyWaitsInside extends FaultyLedger {
  override waitingInside(): readonly TaskRow[] {
    return [];
  }
}

export class RowsOfMissesOne extends FaultyLedger {
  override rowsOf(ownerId: string, limit: number, afterKey: number): readonly TaskRow[] {
    return super.rowsOf(ownerId, limit, afterKey).slice(1);
  }
}

export class BeatIsForgotten extends FaultyLedger {
  override putOwner(owner: Owner): void {
    super.putOwner({ ...owner, beatAtMs: super.owner(owner.ownerId)?.beatAtMs ?? owner.beatAtMs });
  }
}

export class OwnerIsNeverDropped extends FaultyLedger {
  override dropOwner(): void {}
}

export class PlaceIsForgotten extends FaultyLedger {
  override place(): Place | undefined {
    return undefined;
  }
}

export class TimeGoesBack extends FaultyLedger {
  override lastNowMs(): number {
    return 0;
  }
}

export class UndoKeepsUnits extends FaultyLedger {
  override undo(): void {
    const used = super.counter("c:build")?.used ?? 0;
    this.meddle = () => {
      const counter = super.counter("c:build");
      if (counter !== undefined && counter.used !== used) counter.used = used;
    };
    super.undo();
  }
}

export class CommitIsLost extends FaultyLedger {
  #commits = 0;

  override commit(): void {
    if (++this.#commits % 41 === 0) super.undo();
    else super.commit();
  }
}
