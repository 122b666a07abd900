/**
 * Capacities, pools, rates and limits: who declared how much, and which number counts.
 *
 *  C1 the user's own file is the authority; otherwise the smallest number that anybody who still lives declared; what
 *     exists from the start counts only where nobody says anything
 *  C2 a declaration ends with the owner that made it; when the last one goes its number stays for whoever still waits,
 *     and gives way to the next that is made
 */
import { BOUNDS } from "./bounds.ts";
import type { Command, Counter, Declaration } from "./command.ts";
import type { Decision } from "./decision.ts";

/** Declares what exists although nobody said so. Belongs to no process, so it stays when they leave. */
export const DEFAULT_DECLARER = "default";

const NONE: readonly never[] = [];

/** Units there are to give: without the members of a pool that are out of order. */
export function unitsThere({ capacity, out }: Counter): number {
  return capacity - out.length;
}

export function declare(decision: Decision, command: Extract<Command, { type: "declare" }>): void {
  const { ledger } = decision;
  const declaration: Declaration = {
    by: command.by,
    ...(command.source === undefined ? undefined : { source: command.source }),
    capacity: command.members?.length ?? command.capacity,
    authority: command.authority,
    intervalMs: command.intervalMs ?? 0,
    members: command.members ?? [],
  };
  const known = ledger.counter(command.node);
  const before = known?.declarations.find((other) => other.by === declaration.by);
  // Short-lived processes say what was said before: nothing to write, nobody to wake.
  if (before !== undefined && isSame(before, declaration) && !isOverruled(before, known?.declarations ?? [])) return;
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
    out: NONE,
    overload: null,
  };
  const others = counter.declarations.filter((other) => other !== before);
  counter.declarations = bounded([...others, declaration]);
  apply(decision, counter);
}

export function withdraw(decision: Decision, by: string, node?: string): void {
  for (const counter of decision.ledger.countersDeclaredBy(by)) {
    if (node !== undefined && counter.node !== node) continue;
    counter.declarations = counter.declarations.filter((declaration) => declaration.by !== by);
    apply(decision, counter);
  }
}

/** Who declares what a person set by hand (`lockyard set`): nobody living, and so it stays until it is cleared. */
export const SET_BY_HAND = "set";

/** The declaration that counts: what was set by hand, else an authority (the last one), else the smallest, else the default. */
export function standing(declarations: readonly Declaration[]): Declaration | undefined {
  let best: Declaration | undefined;
  for (const declaration of declarations) {
    if (best === undefined || weightOf(declaration) > weightOf(best)) best = declaration;
    else if (weightOf(declaration) === weightOf(best) && (declaration.authority || isSmaller(declaration, best)))
      best = declaration;
  }
  return best;
}

/** The greatest number that may stand one day when declarations of equal weight end. */
export function mostDeclared({ capacity, declarations }: Counter): number {
  const best = standing(declarations);
  const equals = best === undefined ? [] : declarations.filter((other) => weightOf(other) === weightOf(best));
  return equals.reduce((most, declared) => Math.max(most, declared.capacity), capacity);
}

function weightOf({ by, authority }: Declaration): number {
  if (by === SET_BY_HAND) return 3;
  if (authority) return 2;
  return by === DEFAULT_DECLARER ? 0 : 1;
}

function isSmaller(a: Declaration, b: Declaration): boolean {
  return a.capacity < b.capacity || (a.capacity === b.capacity && a.intervalMs > b.intervalMs);
}

function isSame(a: Declaration, b: Declaration): boolean {
  return (
    a.source === b.source &&
    a.capacity === b.capacity &&
    a.authority === b.authority &&
    a.intervalMs === b.intervalMs &&
    a.members.length === b.members.length &&
    a.members.every((member, index) => member === b.members[index])
  );
}

/** The authority that spoke last wins: to say the same again may change something when another one counts. */
function isOverruled(declaration: Declaration, all: readonly Declaration[]): boolean {
  return declaration.authority && standing(all) !== declaration;
}

/** Beyond the bound the most generous is forgotten: the last that would ever count. */
function bounded(declarations: readonly Declaration[]): readonly Declaration[] {
  if (declarations.length <= BOUNDS.declarationsPerResource) return declarations;
  let most: Declaration | undefined;
  for (const declaration of declarations) {
    if (weightOf(declaration) === 1 && (most === undefined || !isSmaller(declaration, most))) most = declaration;
  }
  return declarations.filter((declaration) => declaration !== (most ?? declarations[0]));
}

function apply(decision: Decision, counter: Counter): void {
  const best = standing(counter.declarations);
  if (best !== undefined) {
    if (counter.capacity !== best.capacity) {
      decision.effects.push({ type: "limit-changed", node: counter.node, capacity: best.capacity });
      decision.mayHoldKnot = true;
    }
    counter.capacity = best.capacity;
    counter.intervalMs = best.intervalMs;
    counter.members = best.members;
    if (counter.out.length > 0) counter.out = counter.out.filter(({ member }) => best.members.includes(member));
  }
  decision.ledger.putCounter(counter);
  decision.freed.add(counter.node);
}
