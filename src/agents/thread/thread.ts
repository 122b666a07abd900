/** One thread and the calls it was handed, as the agent sees them. Calls that were not started can be taken back. */
import fs from "node:fs";
import {
  MessageChannel,
  type MessagePort,
  type ResourceLimits,
  receiveMessageOnPort,
  Worker,
} from "node:worker_threads";
import { BOUNDS } from "../../core/bounds.ts";
import type { Call } from "./call.ts";
import {
  CELLS,
  FREE,
  type FromThread,
  isDone,
  QUEUED,
  RECALLED,
  STARTED,
  type ThreadData,
  type ToThread,
  writeRun,
} from "./messages.ts";

/** How a thread ended. */
export type ThreadEnd =
  | { readonly why: "broken"; readonly message: string }
  /** `guilty` is the call that did it, where that is known. */
  | { readonly why: "threw"; readonly error: unknown; readonly guilty?: Call | undefined }
  | { readonly why: "exited"; readonly code: number }
  | { readonly why: "terminated" };

export interface ThreadEvents {
  /** A call of this thread was settled, or passed over: there may be room. */
  onRoom(thread: Thread): void;
  /** Something failed that belongs to no running call. */
  onStray(message: string): void;
  /** It is gone. Calls that were not started are given back, in order; the others are lost with it. */
  onEnd(
    thread: Thread,
    end: ThreadEnd,
    calls: { readonly unstarted: readonly Call[]; readonly lost: readonly Call[] },
  ): void;
}

export interface ThreadSettings {
  readonly module: string;
  readonly tasksPerThread: number;
  readonly resourceLimits: ResourceLimits | undefined;
}

export class Thread {
  readonly #worker: Worker;
  readonly #port: MessagePort;
  readonly #events: ThreadEvents;
  readonly #cells: Int32Array;
  /** In the order they were handed over. A call taken back leaves its place occupied until the thread passed over it. */
  readonly #calls = new Map<number, Call>();
  readonly #freePlaces: number[] = [];
  #places = 0;
  #outbox: ToThread[] = [];
  #isPinged = false;
  #isReady = false;
  #broken: string | undefined;
  #thrown: { readonly error: unknown; readonly guilty?: Call | undefined } | undefined;
  #terminating: Promise<unknown> | undefined;
  #hasEnded = false;

  constructor(settings: ThreadSettings, events: ThreadEvents) {
    const cells = new SharedArrayBuffer(4 * (CELLS.firstPlace + BOUNDS.pipelinedPerThread));
    const { module, tasksPerThread, resourceLimits } = settings;
    this.#events = events;
    this.#cells = new Int32Array(cells);
    const { port1, port2: port } = new MessageChannel();
    this.#port = port1;
    this.#worker = new Worker(workerFile(), {
      workerData: { module, cells, port, tasksPerThread } satisfies ThreadData,
      transferList: [port],
      ...(resourceLimits === undefined ? undefined : { resourceLimits }),
      ...flagsForFile(process.execArgv),
    });
    this.#worker.unref();
    this.#worker.on("message", () => this.#onBell());
    this.#worker.on("error", (error) => {
      this.#thrown = { error };
    });
    this.#worker.on("exit", (code) => this.#end(code));
  }

  get id(): number {
    return this.#worker.threadId;
  }

  get isReady(): boolean {
    return this.#isReady;
  }

  get isEnding(): boolean {
    return this.#hasEnded || this.#terminating !== undefined || this.#broken !== undefined;
  }

  /** Calls that are with the thread, started or not. */
  get load(): number {
    return this.#calls.size;
  }

  get hasPlace(): boolean {
    return this.#freePlaces.length > 0 || this.#places < BOUNDS.pipelinedPerThread;
  }

  /** Grows while the thread's loop turns. Asking makes it turn: compare two answers. */
  get lastTick(): number {
    if (!this.#isPinged && !this.isEnding) {
      this.#isPinged = true;
      this.#post("ping");
    }
    return Atomics.load(this.#cells, CELLS.tick);
  }

  /** The calls that the thread has begun. */
  started(): readonly Call[] {
    return [...this.#calls].filter(([place]) => this.#cell(place) === STARTED).map(([, call]) => call);
  }

  hand(call: Call): void {
    const place = this.#freePlaces.pop() ?? this.#places++;
    if (this.#calls.size === 0) this.#worker.ref();
    this.#calls.set(place, call);
    call.place = place;
    call.thread = this;
    Atomics.store(this.#cells, CELLS.firstPlace + place, QUEUED);
    this.#post(writeRun(place, call.task, call.ctx));
  }

  /** Takes back a call that was not started; false when it was. */
  recall(call: Call): boolean {
    const { place } = call;
    if (this.#calls.get(place) !== call) return false;
    const cell = CELLS.firstPlace + place;
    if (Atomics.compareExchange(this.#cells, cell, QUEUED, RECALLED) !== QUEUED) return false;
    this.#forget(place);
    return true;
  }

  /** Takes back up to `count` calls, last first; returned in their order. */
  recallLast(count: number): readonly Call[] {
    const recalled: Call[] = [];
    for (const call of [...this.#calls.values()].reverse()) {
      if (recalled.length >= count || !this.recall(call)) break;
      recalled.push(call);
    }
    return recalled.reverse();
  }

  /** Asks a started call to stop. */
  abort(call: Call): void {
    this.#post({ abort: call.place });
  }

  /** Resolves when the thread is gone. Code in a blocking native call cannot be ended: then it does not resolve. */
  async terminate(): Promise<void> {
    if (this.#hasEnded) return;
    this.#terminating ??= this.#worker.terminate();
    await this.#terminating;
  }

  #cell(place: number): number {
    return Atomics.load(this.#cells, CELLS.firstPlace + place);
  }

  #post(message: ToThread): void {
    // After everything that is asked for in this turn of the loop: one message for all of it.
    if (this.#outbox.push(message) === 1) process.nextTick(() => this.#flush());
  }

  #flush(): void {
    const messages = this.#outbox;
    this.#outbox = [];
    if (this.#hasEnded || messages.length === 0) return;
    try {
      this.#worker.postMessage(messages);
    } catch {
      for (const message of messages) this.#sendAlone(message);
    }
  }

  #sendAlone(message: ToThread): void {
    try {
      this.#worker.postMessage([message]);
    } catch (error) {
      if (message === "ping" || "abort" in message) return;
      const [place] = message;
      const call = this.#calls.get(place);
      this.#free(place);
      call?.failToSend(error);
      this.#events.onRoom(this);
    }
  }

  #onBell(): void {
    // Lowered first: what is said while we listen rings again.
    Atomics.store(this.#cells, CELLS.bell, 0);
    this.#isPinged = false;
    if (this.#listen()) this.#events.onRoom(this);
  }

  /** Takes all that was said; whether there is room for another call now. */
  #listen(): boolean {
    let hasRoom = false;
    for (;;) {
      const received = receiveMessageOnPort(this.#port);
      if (received === undefined) return hasRoom;
      // Only thread-worker.ts has the other port.
      if (this.#take(received.message as FromThread)) hasRoom = true;
    }
  }

  /** Whether it made room. */
  #take(message: FromThread): boolean {
    if (isDone(message)) {
      const [place, output] = message;
      const call = this.#calls.get(place);
      this.#free(place);
      call?.settle(output);
      return true;
    }
    switch (message.type) {
      case "ready":
        this.#isReady = true;
        return false;
      case "broken":
        this.#broken = message.message;
        this.#terminating ??= this.#worker.terminate();
        return false;
      case "crashed":
        this.#thrown = { error: message.error, guilty: this.#calls.get(message.place) };
        return false;
      case "stray":
        this.#events.onStray(message.message);
        return false;
      case "passed-over":
        this.#free(message.place);
        return true;
      case "report":
      case "failed": {
        const call = this.#calls.get(message.place);
        this.#free(message.place);
        call?.settleAs(message);
        return true;
      }
      case "heartbeat":
        this.#calls.get(message.place)?.hear(message);
        return false;
      case "progress":
      case "emit":
      case "log":
        Atomics.add(this.#cells, CELLS.taken, 1);
        this.#calls.get(message.place)?.hear(message);
        return false;
    }
  }

  #free(place: number): void {
    Atomics.store(this.#cells, CELLS.firstPlace + place, FREE);
    this.#freePlaces.push(place);
    this.#forget(place);
  }

  #forget(place: number): void {
    this.#calls.delete(place);
    if (this.#calls.size === 0) this.#worker.unref();
  }

  #end(code: number): void {
    // What it said last still counts.
    this.#listen();
    this.#port.close();
    this.#hasEnded = true;
    const unstarted: Call[] = [];
    const lost: Call[] = [];
    for (const [place, call] of this.#calls) (this.#cell(place) === STARTED ? lost : unstarted).push(call);
    this.#calls.clear();
    this.#events.onEnd(this, this.#howItEnded(code), { unstarted, lost });
  }

  #howItEnded(code: number): ThreadEnd {
    if (this.#broken !== undefined) return { why: "broken", message: this.#broken };
    if (this.#thrown !== undefined) return { why: "threw", ...this.#thrown };
    return this.#terminating === undefined ? { why: "exited", code } : { why: "terminated" };
  }
}

/** A thread inherits our flags, of which `--input-type` (`node --input-type=module -e …`) refuses to run a file. */
function flagsForFile(flags: readonly string[]): { readonly execArgv?: string[] } {
  if (!flags.some((flag) => flag.startsWith("--input-type"))) return {};
  const isInput = /^(?:--input-type|-e$|-p$|-pe$|--eval|--print)/;
  return { execArgv: flags.filter((flag) => flag.startsWith("-") && !isInput.test(flag)) };
}

/** The file a thread runs first: beside this one, as source or built. */
function workerFile(): URL {
  const source = new URL("./thread-worker.ts", import.meta.url);
  return fs.existsSync(source) ? source : new URL("./thread-worker.js", import.meta.url);
}
