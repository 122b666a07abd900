/**
 * What the edge found out about what was granted: it cannot be used as it is, or should be used more slowly. Facts of the
 * world outside come in as commands; the decision stays deterministic.
 *
 *  B1 who is put back keeps its rank, holds nothing meanwhile, and is tested in rank order with everybody else
 *  B2 a pool member that a stranger uses is out of order for a while: nobody is given it, and whoever waits for the pool
 *     is tested again when that time is over
 *  B3 an overloaded provider gives nothing before the time it asked for, to nobody on the store, and then less often: the
 *     pace halves with each further overload, at most to a 64th, and doubles again with each quiet half minute
 */
import { refuse } from "./arrivals.ts";
import { EDGE } from "./bounds.ts";
import type { Command, Counter } from "./command.ts";
import { type Decision, letGo } from "./decision.ts";
import { end, requeue } from "./endings.ts";
import { paceMs, setOverload } from "./pace.ts";

type Of<Type extends Command["type"]> = Extract<Command, { type: Type }>;

export function putBack(decision: Decision, index: number, command: Of<"put-back">): void {
  const { ledger } = decision;
  const row = ledger.get(command.key);
  if (row === undefined || row.fence !== command.fence || row.status !== "running") {
    const message = `Task ${row?.taskId ?? command.key} is ${row?.status ?? "gone"}; fence ${command.fence} does not run it.`;
    return refuse(decision, index, { code: "STALE_FENCE", message });
  }
  // It comes before the start. Who waits inside it already would be trapped by what it gets next.
  if (ledger.waitingInside().some((other) => other.kind === "task" && other.ancestors.includes(row.key))) {
    const message = `Task ${row.taskId} has begun: others wait inside it.`;
    return refuse(decision, index, { code: "STALE_FENCE", message });
  }
  decision.releases++;
  for (const request of ledger.requestsOf(row.key)) end(decision, request, { status: "cancelled", code: "CANCELLED" });
  ledger.edit(row);
  letGo(decision, row);
  if (command.claims !== null) ledger.reclaim(row, command.claims);
  ledger.put(row);
  for (const { node, members } of command.taken) {
    // What passes to somebody inside it is used by them, and by no stranger.
    if (ledger.heldInside(node, row.holderKey).length === 0) takeOut(decision, node, members);
  }
  if (row.ancestors.length > 0) {
    // It waits again where it may close a circle, and for more than before.
    decision.mayHoldKnot = true;
    decision.inside = null;
  }
  requeue(decision, row);
}

/** B2. Members that are no longer of the pool are forgotten with it. */
function takeOut(decision: Decision, node: string, members: readonly string[]): void {
  const { ledger, nowMs } = decision;
  const counter = ledger.counter(node);
  if (counter?.kind !== "pool") return;
  const untilMs = nowMs + EDGE.memberOutMs;
  const known = counter.out.filter(({ member }) => !members.includes(member));
  const out = members.filter((member) => counter.members.includes(member)).map((member) => ({ member, untilMs }));
  setOut(counter, [...known, ...out]);
  ledger.putCounter(counter);
}

function setOut(counter: Counter, out: Counter["out"]): void {
  counter.out = out;
  counter.dueAtMs = out.reduce((soonest, { untilMs }) => (soonest === 0 ? untilMs : Math.min(soonest, untilMs)), 0);
}

/** What was out of order is tried again; a rate has filled up. */
export function becomeDue(decision: Decision, counter: Counter): void {
  if (counter.kind === "pool") {
    setOut(
      counter,
      counter.out.filter(({ untilMs }) => untilMs > decision.nowMs),
    );
  } else counter.dueAtMs = 0;
  decision.ledger.putCounter(counter);
  decision.freed.add(counter.node);
}

/** B3. */
export function slowDown(decision: Decision, index: number, { node, forMs }: Of<"slow-down">): void {
  const { ledger, nowMs } = decision;
  const counter = ledger.counter(node);
  if (counter?.kind !== "rate") {
    return refuse(decision, index, { code: "UNKNOWN_RESOURCE", message: `There is no rate ${node.slice(2)}.` });
  }
  const untilMs = nowMs + forMs;
  const before = counter.overload;
  // Those that were under way when it began tell the same overload again.
  const isNew = before === null || nowMs >= before.untilMs;
  const strain = Math.min(EDGE.maxStrain, (before?.strain ?? 0) + (isNew ? 1 : 0));
  if (before !== null && before.untilMs >= untilMs && before.strain === strain) return;
  const restsUntilMs = Math.max(untilMs, before?.untilMs ?? 0);
  setOverload(counter, { untilMs: restsUntilMs, strain, sinceMs: nowMs }, nowMs);
  // One unit at that time, not a whole burst.
  const nextAtMs = restsUntilMs + paceMs(counter) * (counter.capacity - 1);
  counter.nextAtMs = Math.max(counter.nextAtMs, nextAtMs);
  ledger.putCounter(counter);
}
