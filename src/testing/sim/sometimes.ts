/**
 * Things that must happen now and then. A simulation in which nobody ever met a stale fence has not tested stale fences,
 * however many seeds it ran: a long run in which one of these never happened fails and names it.
 * Idea: "sometimes" assertions of Antithesis, and the buggified coverage of FoundationDB.
 */
export class Sometimes<Name extends string> {
  readonly #counts = new Map<Name, number>();

  constructor(names: readonly Name[]) {
    for (const name of names) this.#counts.set(name, 0);
  }

  happened(name: Name): void {
    this.#counts.set(name, (this.#counts.get(name) ?? 0) + 1);
  }

  get size(): number {
    return this.#counts.size;
  }

  count(name: Name): number {
    return this.#counts.get(name) ?? 0;
  }

  missing(): Name[] {
    return [...this.#counts].filter(([, count]) => count === 0).map(([name]) => name);
  }

  entries(): IterableIterator<[Name, number]> {
    return this.#counts.entries();
  }
}
