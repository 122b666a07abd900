/** A map that remembers what a turn changed in it until the turn is committed, so that the turn can be undone. */
export class UndoableMap<Value> {
  readonly #values = new Map<string, Value>();
  /** What stood under each key that was changed since the last commit. */
  readonly #images = new Map<string, Value | undefined>();

  get size(): number {
    return this.#values.size;
  }

  get(key: string): Value | undefined {
    return this.#values.get(key);
  }

  set(key: string, value: Value): void {
    this.#keep(key);
    this.#values.set(key, value);
  }

  delete(key: string): void {
    this.#keep(key);
    this.#values.delete(key);
  }

  #keep(key: string): void {
    if (!this.#images.has(key)) this.#images.set(key, this.#values.get(key));
  }

  values(): IterableIterator<Value> {
    return this.#values.values();
  }

  forget(isOver: (value: Value) => boolean): void {
    for (const [key, value] of this.#values) if (isOver(value)) this.delete(key);
  }

  commit(): void {
    if (this.#images.size > 0) this.#images.clear();
  }

  undo(): void {
    for (const [key, image] of this.#images) {
      if (image === undefined) this.#values.delete(key);
      else this.#values.set(key, image);
    }
    this.#images.clear();
  }
}
