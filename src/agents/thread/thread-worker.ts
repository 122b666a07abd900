/**
 * Runs inside a thread: takes calls, runs them in order, says how they ended.
 *
 *  W1 what a call said leaves the thread before another call's code runs: a result never waits behind other work
 *  W2 a message that cannot be copied fails its own call, no other
 *  W3 what nobody caught is charged to the call that started it: while that runs the thread ends with it, since nothing
 *     else would stop it; when it had ended, nobody else is harmed
 */
import { AsyncLocalStorage } from "node:async_hooks";
import { type MessagePort, parentPort, workerData } from "node:worker_threads";
import { isAgentReport } from "../../core/agent-report.ts";
import { readMember } from "../../core/member.ts";
import { describeError } from "../../core/task-error.ts";
import {
  CELLS,
  DROPPABLE_IN_FLIGHT,
  type DroppableMessage,
  type FromThread,
  isDone,
  QUEUED,
  type RunMessage,
  readRun,
  STARTED,
  type ThreadData,
  type ToThread,
} from "./messages.ts";
import { CallContext } from "./thread-context.ts";

type Run = (task: unknown, ctx: unknown) => unknown;

type Bell = Pick<MessagePort, "postMessage">;

class ThreadWorker {
  readonly #bell: Bell;
  readonly #port: MessagePort;
  readonly #cells: Int32Array;
  readonly #tasksPerThread: number;
  readonly #run: Run;
  readonly #queue: RunMessage[] = [];
  readonly #running = new Map<number, CallContext>();
  readonly #current = new AsyncLocalStorage<CallContext>();
  #droppablesSent = 0;
  #dropped = 0;

  constructor(bell: Bell, data: ThreadData, run: Run) {
    this.#bell = bell;
    this.#port = data.port;
    this.#cells = new Int32Array(data.cells);
    this.#tasksPerThread = data.tasksPerThread;
    this.#run = run;
  }

  receive(messages: readonly ToThread[]): void {
    Atomics.add(this.#cells, CELLS.tick, 1);
    for (const message of messages) {
      if (message === "ping") this.#ring();
      else if ("abort" in message) this.#running.get(message.abort)?.abort();
      else this.#queue.push(message);
    }
    this.#pump();
  }

  say(message: FromThread): void {
    try {
      this.#port.postMessage(message);
    } catch (thrown) {
      this.#port.postMessage(insteadOf(message, describeError(thrown).message));
    }
    this.#ring();
  }

  /** Says what may be lost when the agent does not keep up. */
  sayDroppable(message: DroppableMessage): void {
    const inFlight = (this.#droppablesSent - Atomics.load(this.#cells, CELLS.taken)) | 0;
    if (inFlight >= DROPPABLE_IN_FLIGHT) {
      this.#dropped++;
      return;
    }
    if (this.#dropped > 0) this.#confess(message.place);
    this.#droppablesSent++;
    this.say(message);
  }

  /** Called for exceptions and rejections that nobody caught. */
  onUncaught(thrown: unknown): void {
    const call = this.#current.getStore();
    const error = describeError(thrown, { code: "AGENT_CRASHED" });
    if (call !== undefined && this.#running.get(call.place) !== call) {
      this.say({ type: "stray", message: `Task ${call.taskId} failed after it had ended: ${error.message}` });
      return;
    }
    this.say({ type: "crashed", place: call?.place ?? -1, error });
    process.exit(1);
  }

  #confess(place: number): void {
    const message = `${this.#dropped} chunks, log lines and progress reports were dropped: the agent did not keep up.`;
    this.#dropped = 0;
    this.#droppablesSent++;
    this.say({ type: "log", place, level: "warn", message, fields: undefined });
  }

  /** The agent lowers the bell before it takes what there is: whatever comes after that rings again. */
  #ring(): void {
    if (Atomics.compareExchange(this.#cells, CELLS.bell, 0, 1) === 0) this.#bell.postMessage(0);
  }

  #pump(): void {
    while (this.#queue.length > 0 && this.#running.size < this.#tasksPerThread) {
      const message = this.#queue.shift();
      if (message === undefined) return;
      const [place] = message;
      if (Atomics.compareExchange(this.#cells, CELLS.firstPlace + place, QUEUED, STARTED) !== QUEUED) {
        this.say({ type: "passed-over", place });
        continue;
      }
      Atomics.add(this.#cells, CELLS.tick, 1);
      void this.#perform(message);
    }
  }

  /** Never rejects. */
  async #perform(message: RunMessage): Promise<void> {
    const [place] = message;
    const { task, facts } = readRun(message);
    const context = new CallContext({ place, task, facts }, this);
    this.#running.set(place, context);
    try {
      const output = await this.#current.run(context, this.#run, task, context);
      if (this.#dropped > 0) this.#confess(place);
      this.say(isAgentReport(output) ? { type: "report", place, report: { ...output } } : [place, output]);
    } catch (thrown) {
      this.say({ type: "failed", place, error: describeError(thrown) });
    }
    context.end();
    this.#running.delete(place);
    this.#pump();
  }
}

/** What is said in place of a message that cannot be copied. */
function insteadOf(message: FromThread, why: string): FromThread {
  const failed = (place: number): FromThread => {
    const error = describeError(new Error(`The output cannot leave the thread: ${why}`), { code: "INVALID_OUTPUT" });
    return { type: "failed", place, error };
  };
  if (isDone(message)) return failed(message[0]);
  switch (message.type) {
    case "report":
      return failed(message.place);
    case "emit":
    case "log": {
      const text = `What the task ${message.type === "emit" ? "emitted" : "logged"} cannot leave the thread: ${why}`;
      return { type: "log", place: message.place, level: "warn", message: text, fields: undefined };
    }
    case "progress":
      return { ...message, detail: undefined };
    case "ready":
    case "broken":
    case "crashed":
    case "stray":
    case "failed":
    case "passed-over":
    case "heartbeat":
      // Plain data by construction.
      return message;
  }
}

async function main(): Promise<void> {
  if (parentPort === null) return;
  const port = parentPort;
  const data = workerData as ThreadData; // given by thread.ts, which is the only one to start this file
  const load = async () => readMember(await import(data.module), "run");
  const run = await load().catch((thrown: unknown) => `could not be loaded: ${describeError(thrown).message}`);
  const thread = new ThreadWorker(port, data, run as Run); // judged before anybody calls it
  if (typeof run !== "function") {
    const message = typeof run === "string" ? run : "has no export named run that is a function";
    return thread.say({ type: "broken", message });
  }
  process.on("uncaughtException", (error) => thread.onUncaught(error));
  process.on("unhandledRejection", (reason) => thread.onUncaught(reason));
  port.on("message", (messages: readonly ToThread[]) => thread.receive(messages));
  thread.say({ type: "ready" });
}

await main();
