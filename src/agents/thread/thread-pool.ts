/**
 * Warm threads and the calls that wait for them.
 *
 *  P1 a call is started at most once; one that was not started when its thread died goes to another
 *  P2 no call waits behind a long one while a thread is idle: the idle thread takes calls back from the fullest
 *  P3 a thread runs while it has work, then no longer keeps the process alive, and after `idleMs` it ends
 */
import type { ResourceLimits } from "node:worker_threads";
import { BOUNDS } from "../../core/bounds.ts";
import { LockyardError } from "../../core/errors.ts";
import type { AgentContext, Timer } from "../../core/ports.ts";
import type { AgentTask } from "../../core/task.ts";
import { describeError } from "../../core/task-error.ts";
import { Call } from "./call.ts";
import { Thread, type ThreadEnd, type ThreadEvents } from "./thread.ts";

export interface PoolSettings {
  readonly module: string;
  readonly threads: number;
  readonly tasksPerThread: number;
  readonly graceMs: number;
  readonly idleMs: number;
  readonly resourceLimits: ResourceLimits | undefined;
}

/** A thread as `threads()` shows it. */
export interface ThreadStatus {
  readonly threadId: number;
  /** Grows while its loop turns: two equal readings a while apart mean that it is stuck. */
  readonly lastTick: number;
  readonly state: "starting" | "ready" | "ending";
  /** Instances it is running. */
  readonly running: readonly string[];
  /** Calls handed to it and not yet begun. */
  readonly queued: number;
}

export class ThreadPool {
  readonly #settings: PoolSettings;
  readonly #threads = new Set<Thread>();
  readonly #idleTimers = new Map<Thread, Timer>();
  readonly #events: ThreadEvents;
  #queue: Call[] = [];
  #isClosed = false;
  /** Of the last call: its clock and log serve what belongs to no call. */
  #last: AgentContext | undefined;

  constructor(settings: PoolSettings) {
    this.#settings = settings;
    this.#events = {
      onRoom: (thread) => this.#onRoom(thread),
      onStray: (message) => this.#last?.log.warn(message),
      onEnd: (thread, end, calls) => this.#onEnd(thread, end, calls),
    };
  }

  /** Throws, or rejects, with what became of the call. */
  run(task: AgentTask, ctx: AgentContext): Promise<unknown> {
    if (this.#isClosed) throw new LockyardError("CLOSED", `The threads of ${this.#name()} were closed.`);
    if (this.#queue.length >= BOUNDS.queuedPerThreadAgent) throw tooMany(this.#queue.length);
    ctx.signal.throwIfAborted();
    this.#last = ctx;
    const call = new Call(task, ctx, this.#stop);
    if (this.#queue.length > 0 || !this.#hand(call)) this.#queue.push(call);
    return call.settled;
  }

  /** The threads, each asked for a sign of life by the asking. */
  status(): readonly ThreadStatus[] {
    return [...this.#threads].map((thread) => {
      const running = thread.started().map((call) => call.ctx.instanceId);
      const state = thread.isEnding ? "ending" : thread.isReady ? "ready" : "starting";
      const { id: threadId, lastTick, load } = thread;
      return { threadId, lastTick, state, running, queued: load - running.length };
    });
  }

  /** Ends every thread. Calls that were with one fail with CLOSED. */
  async close(): Promise<void> {
    this.#isClosed = true;
    const waiting = this.#queue;
    this.#queue = [];
    for (const call of waiting) call.fail(closed(call));
    for (const timer of this.#idleTimers.values()) timer.cancel();
    this.#idleTimers.clear();
    await Promise.all([...this.#threads].map((thread) => thread.terminate()));
  }

  #place(): void {
    let next = 0;
    for (const call of this.#queue) {
      if (!this.#hand(call)) break;
      next++;
    }
    if (next > 0) this.#queue.splice(0, next);
  }

  /** False when every thread is as full as it may be. */
  #hand(call: Call): boolean {
    const thread = this.#threadForNext();
    if (thread === undefined) return false;
    this.#idleTimers.get(thread)?.cancel();
    this.#idleTimers.delete(thread);
    thread.hand(call);
    return true;
  }

  /** An idle thread, else a new one, else the one with the shortest line. */
  #threadForNext(): Thread | undefined {
    const { threads, tasksPerThread } = this.#settings;
    let best: Thread | undefined;
    for (const thread of this.#threads) {
      if (thread.isEnding || !thread.hasPlace) continue;
      if (best === undefined || thread.load < best.load) best = thread;
    }
    if (best !== undefined && best.load < tasksPerThread) return best;
    // One that ends still counts: its memory and its core are not free yet.
    if (this.#threads.size >= threads) return best;
    const thread = new Thread(this.#settings, this.#events);
    this.#threads.add(thread);
    return thread;
  }

  #onRoom(thread: Thread): void {
    if (this.#queue.length > 0) this.#place();
    if (thread.load === 0) this.#takeOver(thread);
    if (thread.load === 0) this.#startIdling(thread);
  }

  /** Takes half of what waits in the fullest line. */
  #takeOver(idle: Thread): void {
    const { tasksPerThread } = this.#settings;
    let fullest: Thread | undefined;
    for (const thread of this.#threads) {
      if (thread !== idle && thread.load > (fullest?.load ?? tasksPerThread)) fullest = thread;
    }
    if (fullest === undefined || idle.isEnding) return;
    const calls = fullest.recallLast(Math.ceil((fullest.load - tasksPerThread) / 2));
    for (const call of calls) idle.hand(call);
  }

  #startIdling(thread: Thread): void {
    if (this.#idleTimers.has(thread) || thread.isEnding || this.#last === undefined || this.#isClosed) return;
    const end = () => {
      this.#idleTimers.delete(thread);
      // Its end is told by onEnd.
      void thread.terminate();
    };
    this.#idleTimers.set(thread, this.#last.clock.setTimer(this.#settings.idleMs, end, { background: true }));
  }

  /** Taken back when it was not started; else asked, and after the grace ended with its thread. */
  readonly #stop = (call: Call): void => {
    const waiting = this.#queue.indexOf(call);
    if (waiting !== -1) this.#queue.splice(waiting, 1);
    const { thread } = call;
    if (waiting !== -1 || thread?.recall(call) === true) {
      call.fail(new LockyardError("CANCELLED", `Task ${call.task.taskId} was stopped before its thread began it.`));
    } else if (thread !== undefined) {
      thread.abort(call);
      // Its end is told by onEnd.
      call.grace = call.ctx.clock.setTimer(this.#settings.graceMs, () => void thread.terminate());
    }
  };

  #onEnd(thread: Thread, end: ThreadEnd, calls: Parameters<ThreadEvents["onEnd"]>[2]): void {
    this.#threads.delete(thread);
    this.#idleTimers.get(thread)?.cancel();
    this.#idleTimers.delete(thread);
    for (const call of calls.lost) call.fail(this.#isClosed ? closed(call) : this.#lossOf(call, end));
    const { unstarted } = calls;
    if (this.#isClosed) {
      for (const call of unstarted) call.fail(closed(call));
      return;
    }
    if (end.why !== "terminated" && !thread.isReady) {
      // The next would die the same way: whoever waits is told, and the next call tries anew.
      const waiting = [...this.#threads].some((other) => other.isReady) ? [] : this.#queue.splice(0);
      for (const call of [...unstarted, ...waiting]) call.fail(this.#startFailure(end));
      return;
    }
    this.#queue.unshift(...unstarted);
    this.#place();
  }

  #lossOf(call: Call, end: ThreadEnd): LockyardError {
    const { taskId } = call.task;
    switch (end.why) {
      case "terminated":
        return call.isStopping
          ? new LockyardError("CANCELLED", `Task ${taskId} did not stop by itself; its thread was ended.`)
          : retryable(
              "AGENT_CRASHED",
              `The thread of task ${taskId} was ended because another task on it did not stop.`,
            );
      case "exited":
        return new LockyardError("AGENT_EXITED", `Task ${taskId} ended its thread with code ${end.code}.`, {
          hint: "Return from run() instead of calling process.exit().",
        });
      case "broken":
        return this.#startFailure(end);
      case "threw": {
        if (end.guilty !== undefined && end.guilty !== call) {
          return retryable("AGENT_CRASHED", `The thread of task ${taskId} was crashed by another task on it.`);
        }
        const { code, message } = describeError(end.error, { code: "AGENT_CRASHED" });
        if (code === "OUT_OF_MEMORY") {
          return new LockyardError(code, `The thread of task ${taskId} ran out of memory.`, {
            hint: "Give it more with resourceLimits.maxOldGenerationSizeMb, or split the work.",
          });
        }
        return new LockyardError("AGENT_CRASHED", `The thread of task ${taskId} crashed: ${message}`, {
          cause: end.error,
        });
      }
    }
  }

  #name(): string {
    const { module } = this.#settings;
    return module.length > 200 ? `${module.slice(0, 200)}…` : module;
  }

  #startFailure(end: ThreadEnd): LockyardError {
    const why =
      end.why === "broken"
        ? end.message
        : end.why === "threw"
          ? `failed: ${describeError(end.error).message}`
          : "ended before it was ready";
    return new LockyardError("SPAWN_FAILED", `The thread module ${this.#name()} ${why}.`, {
      hint: 'Pass new URL("./worker.js", import.meta.url) of a module that exports run(task, ctx).',
    });
  }
}

function retryable(code: "AGENT_CRASHED", message: string): LockyardError {
  return Object.assign(new LockyardError(code, message), { retryable: true });
}

function closed(call: Call): LockyardError {
  return new LockyardError("CLOSED", `Task ${call.task.taskId} ended because its agent was closed.`);
}

function tooMany(waiting: number): LockyardError {
  const limit = BOUNDS.queuedPerThreadAgent.toLocaleString("en");
  return new LockyardError("LIMIT_EXCEEDED", `${waiting.toLocaleString("en")} calls wait for threads; ${limit} may.`);
}
