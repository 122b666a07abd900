/** Events for whoever listens. Nobody listening costs one comparison; a slow reader loses its oldest events, nobody else's. */
import { BOUNDS } from "../core/bounds.ts";
import type { EventDraft, LockyardEvent } from "../core/events.ts";
import type { Monitor } from "../core/ports.ts";

export class EventHub {
  readonly #stamp: () => { readonly at: string; readonly workflowId: string };
  readonly #readers = new Set<Reader>();
  #sequence = 0;
  /** Asked before an event is even made. */
  isHeard = false;

  constructor(stamp: () => { readonly at: string; readonly workflowId: string }) {
    this.#stamp = stamp;
  }

  emit(draft: EventDraft): void {
    // The draft is the event but for what every event has.
    const event = { ...draft, sequence: ++this.#sequence, ...this.#stamp() } as LockyardEvent;
    for (const reader of this.#readers) reader.push(event);
  }

  /** Events from now on. Ends when the signal aborts or the hub closes; leaving the loop stops listening. */
  read(signal?: AbortSignal): AsyncIterableIterator<LockyardEvent> {
    const reader = new Reader((count) => this.#dropped(count));
    if (signal?.aborted === true) {
      reader.end();
      return reader;
    }
    this.#add(reader);
    const stop = () => reader.end();
    signal?.addEventListener("abort", stop, { once: true });
    reader.onEnd = () => {
      signal?.removeEventListener("abort", stop);
      this.#remove(reader);
    };
    return reader;
  }

  /** Tells a monitor every event, in a microtask of its own: it may throw, and it never runs inside the engine's work. */
  watch(monitor: Monitor): void {
    const reader = new Reader((count) => this.#dropped(count));
    reader.onPush = () => {
      for (let event = reader.take(); event !== undefined; event = reader.take()) {
        try {
          monitor.onEvent(event);
        } catch {
          // A monitor that throws is its author's business: the engine does not notice.
        }
      }
    };
    this.#add(reader);
  }

  close(): void {
    for (const reader of this.#readers) reader.end();
    this.#readers.clear();
    this.isHeard = false;
  }

  #add(reader: Reader): void {
    this.#readers.add(reader);
    this.isHeard = true;
  }

  #remove(reader: Reader): void {
    this.#readers.delete(reader);
    this.isHeard = this.#readers.size > 0;
  }

  #dropped(count: number): LockyardEvent {
    return { type: "events-dropped", count, sequence: this.#sequence, ...this.#stamp() };
  }
}

type Result = IteratorResult<LockyardEvent, undefined>;

class Reader implements AsyncIterableIterator<LockyardEvent> {
  readonly #describeLoss: (count: number) => LockyardEvent;
  #events: LockyardEvent[] = [];
  #at = 0;
  #lost = 0;
  #isEnded = false;
  #isScheduled = false;
  #waiting: ((result: Result) => void)[] = [];
  onEnd: () => void = () => undefined;
  /** Set for a monitor: called in a microtask when something has come. */
  onPush: (() => void) | null = null;

  constructor(describeLoss: (count: number) => LockyardEvent) {
    this.#describeLoss = describeLoss;
  }

  push(event: LockyardEvent): void {
    const waiting = this.#waiting.shift();
    if (waiting !== undefined) {
      waiting({ value: event, done: false });
      return;
    }
    this.#events.push(event);
    if (this.#events.length - this.#at > BOUNDS.eventsPerReader) {
      this.#at++;
      this.#lost++;
    }
    this.#compact();
    if (this.onPush !== null && !this.#isScheduled) {
      this.#isScheduled = true;
      queueMicrotask(this.#deliver);
    }
  }

  take(): LockyardEvent | undefined {
    if (this.#lost > 0) {
      const loss = this.#describeLoss(this.#lost);
      this.#lost = 0;
      return loss;
    }
    const event = this.#events[this.#at];
    if (event !== undefined) this.#at++;
    this.#compact();
    return event;
  }

  end(): void {
    if (this.#isEnded) return;
    this.#isEnded = true;
    this.onPush?.();
    for (const waiting of this.#waiting) waiting({ value: undefined, done: true });
    this.#waiting = [];
    this.onEnd();
  }

  next(): Promise<Result> {
    const event = this.take();
    if (event !== undefined) return Promise.resolve({ value: event, done: false });
    if (this.#isEnded) return Promise.resolve({ value: undefined, done: true });
    return new Promise((resolve) => {
      this.#waiting.push(resolve);
    });
  }

  return(): Promise<Result> {
    this.#events = [];
    this.#at = 0;
    this.end();
    return Promise.resolve({ value: undefined, done: true });
  }

  [Symbol.asyncIterator](): this {
    return this;
  }

  readonly #deliver = (): void => {
    this.#isScheduled = false;
    this.onPush?.();
  };

  #compact(): void {
    if (this.#at < 1_024 || this.#at * 2 < this.#events.length) return;
    this.#events = this.#events.slice(this.#at);
    this.#at = 0;
  }
}
