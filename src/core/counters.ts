/**
 * Capacities, pools, rates and limits: who declared how much, and which number counts. The user's own file is the
 * authority; otherwise the smallest number declared by anybody who still lives.
 */
import type { Command, Counter, Declaration } from "./command.ts";
import type { Decision } from "./decision.ts";

const DECLARATIONS_KEPT = 64;

export function declare(decision: Decision, command: Extract<Command, { type: "declare" }>): void {
  const { ledger } = decision;
  const declaration: Declaration = {
    by: command.by,
    capacity: command.members?.length ?? command.capacity,
    authority: command.authority,
    intervalMs: command.intervalMs ?? 0,
    members: command.members ?? [],
  };
  const known = ledger.counter(command.node);
  const counter: Counter = known ?? {
    node: command.node,
    kind: command.kind,
    capacity: declaration.capacity,
    used: 0,
    intervalMs: declaration.intervalMs,
    nextAtMs: 0,
    dueAtMs: 0,
    declarations: [],
    members: declaration.members,
  };
  const others = counter.declarations.filter((other) => other.by !== declaration.by);
  counter.declarations = [...others.slice(-DECLARATIONS_KEPT + 1), declaration];
  apply(decision, counter);
}

export function withdraw(decision: Decision, by: string): void {
  for (const counter of decision.ledger.countersDeclaredBy(by)) {
    const left = counter.declarations.filter((declaration) => declaration.by !== by);
    // The last number stays: whoever waits for it must not be stranded.
    if (left.length === 0) continue;
    counter.declarations = left;
    apply(decision, counter);
  }
}

/** The declaration that counts: an authority (the last one), else the smallest. */
export function standing(declarations: readonly Declaration[]): Declaration | undefined {
  let best: Declaration | undefined;
  for (const declaration of declarations) {
    if (best === undefined || declaration.authority || (!best.authority && isSmaller(declaration, best)))
      best = declaration;
  }
  return best;
}

function isSmaller(a: Declaration, b: Declaration): boolean {
  return a.capacity < b.capacity || (a.capacity === b.capacity && a.intervalMs > b.intervalMs);
}

function apply(decision: Decision, counter: Counter): void {
  const best = standing(counter.declarations);
  if (best !== undefined) {
    if (counter.capacity !== best.capacity) {
      decision.effects.push({ type: "limit-changed", node: counter.node, capacity: best.capacity });
    }
    counter.capacity = best.capacity;
    counter.intervalMs = best.intervalMs;
    counter.members = best.members;
  }
  decision.ledger.putCounter(counter);
  decision.freed.add(counter.node);
}
