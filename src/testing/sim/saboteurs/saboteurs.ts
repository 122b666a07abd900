/**
 * The saboteurs: known bugs, planted one at a time, to prove that the monitor would notice. Each names the rules by which
 * it may be caught; one that nobody notices within 2,000 seeds means that the simulation is blind there.
 */
import type { FaultyLedger } from "../faulty-ledger.ts";
import { MemorySimStore } from "../memory-sim-store.ts";
import type { SimStore } from "../sim-store.ts";
import * as ledgers from "./ledger-saboteurs.ts";
import * as stores from "./store-saboteurs.ts";

export interface Saboteur {
  readonly name: string;
  /** What the bug is, in a sentence that could stand in a report. */
  readonly breaks: string;
  /** Rules of the ghost that may catch it. */
  readonly rules: readonly string[];
  readonly open: () => SimStore;
}

const FIRST_FENCE = 1_000;

const onLedger = (Ledger: new (firstFence: number) => FaultyLedger) => (): SimStore =>
  new MemorySimStore(new Ledger(FIRST_FENCE));
const store = (Store: new () => SimStore) => (): SimStore => new Store();

export const KERNEL_SABOTEURS: readonly Saboteur[] = [
  {
    name: "conflict ignores below",
    breaks: "a directory is granted while a file in it is held",
    rules: ["L1"],
    open: onLedger(ledgers.ConflictIgnoresBelow),
  },
  {
    name: "conflict ignores above",
    breaks: "a file is granted while its directory is held",
    rules: ["L1"],
    open: onLedger(ledgers.ConflictIgnoresAbove),
  },
  {
    name: "conflict ignores readers",
    breaks: "a reader is let in beside a writer",
    rules: ["L1"],
    open: onLedger(ledgers.ConflictIgnoresReaders),
  },
  {
    name: "conflict forgets exceptions",
    breaks: "what an ancestor holds blocks its child",
    rules: ["forgotten", "L12", "liveness"],
    open: onLedger(ledgers.ConflictForgetsExceptions),
  },
  {
    name: "holders are none",
    breaks: "a cycle of requests is not seen",
    rules: ["L12", "liveness"],
    open: onLedger(ledgers.HoldersAreNone),
  },
  {
    name: "holders forget exceptions",
    breaks: "a request is refused as a deadlock because of what its own task holds",
    rules: ["L12"],
    open: onLedger(ledgers.HoldersForgetExceptions),
  },
  {
    name: "head skips first",
    breaks: "a release passes over whoever is first",
    rules: ["forgotten"],
    open: onLedger(ledgers.HeadSkipsFirst),
  },
  {
    name: "lines forget below",
    breaks: "who waits for something below is not woken",
    rules: ["forgotten"],
    open: onLedger(ledgers.LinesForgetBelow),
  },
  {
    name: "lines forget above",
    breaks: "a release does not wake who watches one directory above",
    rules: ["forgotten"],
    open: onLedger(ledgers.LinesForgetAbove),
  },
  {
    name: "lines lose last",
    breaks: "one line of several at a node is not woken",
    rules: ["forgotten"],
    open: onLedger(ledgers.LinesLoseLast),
  },
  {
    name: "lines forget limits",
    breaks: "a slot given back wakes nobody",
    rules: ["forgotten"],
    open: onLedger(ledgers.LinesForgetLimits),
  },
  {
    name: "carry is dropped",
    breaks: "what one release could not test is forgotten",
    rules: ["forgotten"],
    open: onLedger(ledgers.CarryIsDropped),
  },
  { name: "fence repeats", breaks: "two grants have one fence", rules: ["L6"], open: onLedger(ledgers.FenceRepeats) },
  {
    name: "key repeats",
    breaks: "two tasks have one key",
    rules: ["duplicate", "bug", "crash", "lost"],
    open: onLedger(ledgers.KeyRepeats),
  },
  {
    name: "drop is forgotten",
    breaks: "a lock stays after its holder has ended",
    rules: ["forgotten"],
    open: onLedger(ledgers.DropIsForgotten),
  },
  {
    name: "units are given back early",
    breaks: "a unit that is out counts as free",
    rules: ["L3", "bug", "liveness"],
    open: onLedger(ledgers.UnitsAreGivenBackEarly),
  },
  {
    name: "units of strangers count",
    breaks: "a child leans on units that others hold",
    rules: ["L3", "bug"],
    open: onLedger(ledgers.UnitsOfStrangersCount),
  },
  {
    name: "units of ancestors do not count",
    breaks: "a child waits for a unit its parent holds",
    rules: ["forgotten", "L12"],
    open: onLedger(ledgers.UnitsOfAncestorsDoNotCount),
  },
  {
    name: "units are not passed on",
    breaks: "a unit is free while a child of a parent that ended uses it",
    rules: ["L3"],
    open: onLedger(ledgers.UnitsAreNotPassedOn),
  },
  {
    name: "limit is off by one",
    breaks: "one more runs than may",
    rules: ["L5", "bug"],
    open: onLedger(ledgers.LimitIsOffByOne),
  },
  {
    name: "reservations are none",
    breaks: "a reservation holds against nobody",
    rules: ["L4"],
    open: onLedger(ledgers.ReservationsAreNone),
  },
  {
    name: "nobody reserves",
    breaks: "whoever is passed is passed for ever",
    rules: ["L4"],
    open: onLedger(ledgers.NobodyReserves),
  },
  {
    name: "heads are none",
    breaks: "being passed is not counted",
    rules: ["L4"],
    open: onLedger(ledgers.HeadsAreNone),
  },
  { name: "nobody waits", breaks: "releases wake nobody", rules: ["forgotten"], open: onLedger(ledgers.NobodyWaits) },
  {
    name: "due rows are none",
    breaks: "queue and start time-outs never come",
    rules: ["clock"],
    open: onLedger(ledgers.DueRowsAreNone),
  },
  {
    name: "due counters are none",
    breaks: "a rate that has filled, or a member that is free again, wakes nobody",
    rules: ["clock", "liveness", "forgotten"],
    open: onLedger(ledgers.DueCountersAreNone),
  },
  {
    name: "requests are none",
    breaks: "a task that ends leaves its requests behind",
    rules: ["L2"],
    open: onLedger(ledgers.RequestsAreNone),
  },
  {
    name: "nobody waits inside",
    breaks: "a cycle of requests is not seen",
    rules: ["L12", "liveness", "forgotten"],
    open: onLedger(ledgers.NobodyWaitsInside),
  },
  {
    name: "rows of an owner miss one",
    breaks: "a dead owner's task stays",
    rules: ["L13", "L7"],
    open: onLedger(ledgers.RowsOfMissesOne),
  },
  {
    name: "beat is forgotten",
    breaks: "an owner that beats is taken for dead",
    rules: ["L8"],
    open: onLedger(ledgers.BeatIsForgotten),
  },
  {
    name: "owner is never dropped",
    breaks: "an owner judged gone goes on as if nothing was",
    rules: ["L13"],
    open: onLedger(ledgers.OwnerIsNeverDropped),
  },
  {
    name: "place is forgotten",
    breaks: "whoever comes back goes to the end of the line",
    rules: ["L13"],
    open: onLedger(ledgers.PlaceIsForgotten),
  },
  {
    name: "time goes back",
    breaks: "a clock that is behind moves the store's time back",
    rules: ["L6", "L3", "clock", "lost", "L13"],
    open: onLedger(ledgers.TimeGoesBack),
  },
  {
    name: "undo keeps units",
    breaks: "a turn that was undone leaves units taken",
    rules: ["rollback"],
    open: onLedger(ledgers.UndoKeepsUnits),
  },
  {
    name: "commit is lost",
    breaks: "an answered turn is not kept",
    rules: ["duplicate", "lost", "L6", "forgotten", "L2", "L13", "L1", "liveness"],
    open: onLedger(ledgers.CommitIsLost),
  },
  {
    name: "settle ignores its fence",
    breaks: "a stale settlement counts",
    rules: ["L6"],
    open: store(stores.SettleIgnoresFence),
  },
  {
    name: "confirm ignores its fence",
    breaks: "a stale confirmation counts",
    rules: ["L6"],
    open: store(stores.ConfirmIgnoresFence),
  },
  {
    name: "death needs no proof",
    breaks: "locks go on while what held them still runs",
    rules: ["L1", "L7", "L5", "L13", "lost"],
    open: store(stores.DeathNeedsNoProof),
  },
  {
    name: "ending lets go",
    breaks: "an agent that is being stopped loses its locks at once",
    rules: ["L1", "lost", "duplicate", "L6"],
    open: store(stores.EndingLetsGo),
  },
  {
    name: "renewal is lost",
    breaks: "a guest that gives signs of life loses its hold",
    rules: ["lost"],
    open: store(stores.RenewalIsLost),
  },
  {
    name: "overload is forgotten",
    breaks: "an overloaded provider is asked on",
    rules: ["B3", "L3"],
    open: store(stores.OverloadIsForgotten),
  },
  {
    name: "strangers are forgotten",
    breaks: "a port that somebody else uses is given out again at once",
    rules: ["B2"],
    open: store(stores.StrangersAreForgotten),
  },
  {
    name: "moved paths are forgotten",
    breaks: "a task writes where its link leads and holds where it led before",
    rules: ["L1", "forgotten"],
    open: store(stores.MovedPathsAreForgotten),
  },
  {
    name: "put back goes to the end",
    breaks: "whoever met a stranger's port loses its place in line",
    rules: ["B1"],
    open: store(stores.PutBackGoesToTheEnd),
  },
  {
    name: "retry keeps its locks",
    breaks: "between two attempts the locks stay",
    rules: ["forgotten", "L6", "lost", "duplicate"],
    open: store(stores.RetryKeepsLocks),
  },
  {
    name: "slot is never given",
    breaks: "a task that waits for its own keeps its slot",
    rules: ["forgotten", "L5", "L12"],
    open: store(stores.SlotIsNeverGiven),
  },
  {
    name: "submit loses claims",
    breaks: "only the first claim is locked",
    rules: ["L1", "L3"],
    open: store(stores.SubmitLosesClaim),
  },
  {
    name: "submit forgets ancestors",
    breaks: "a child waits for its parent",
    rules: ["forgotten", "liveness", "L12"],
    open: store(stores.SubmitForgetsAncestors),
  },
  { name: "rank is lost", breaks: "everybody stands at the same place", rules: ["L4"], open: store(stores.RankIsLost) },
  {
    name: "grant is told twice",
    breaks: "one grant is announced twice",
    rules: ["duplicate", "L6"],
    open: store(stores.GrantIsToldTwice),
  },
  {
    name: "grant is not told",
    breaks: "an owner never learns of its grant",
    rules: ["forgotten", "L5", "L6", "lost", "duplicate"],
    open: store(stores.GrantIsNotTold),
  },
  {
    name: "refusal is not told",
    breaks: "a refused report looks accepted",
    rules: ["L6", "lost", "duplicate"],
    open: store(stores.RefusalIsNotTold),
  },
  {
    name: "end is not told",
    breaks: "a result is lost",
    rules: ["lost", "liveness", "L2"],
    open: store(stores.EndIsNotTold),
  },
];
