/** One call to a thread agent: settled once, whatever happens to the thread it is with. */
import { agentReport } from "../../core/agent-report.ts";
import { LockyardError, type TaskError } from "../../core/errors.ts";
import type { AgentContext, AgentReport, Timer } from "../../core/ports.ts";
import type { AgentTask, JsonValue } from "../../core/task.ts";
import { describeError } from "../../core/task-error.ts";
import type { FromThread } from "./messages.ts";

/** The thread a call is with. */
interface ThreadOfCall {
  recall(call: Call): boolean;
  abort(call: Call): void;
  terminate(): Promise<void>;
}

export class Call {
  readonly task: AgentTask;
  readonly ctx: AgentContext;
  readonly settled: Promise<unknown>;
  /** Where it is: set while it is with a thread. */
  thread: ThreadOfCall | undefined;
  place = -1;
  /** Whether it was asked to stop. */
  isStopping = false;
  /** Runs between the asking and the end of its thread. */
  grace: Timer | undefined;
  readonly #onAbort: () => void;
  #resolve: (output: unknown) => void = ignore;
  #reject: (error: LockyardError) => void = ignore;

  /** `stop` is called once, when the signal of the task aborts before it is settled. */
  constructor(task: AgentTask, ctx: AgentContext, stop: (call: Call) => void) {
    this.task = task;
    this.ctx = ctx;
    this.settled = new Promise((resolve, reject) => {
      this.#resolve = resolve;
      this.#reject = reject;
    });
    this.#onAbort = () => {
      this.isStopping = true;
      stop(this);
    };
    ctx.signal.addEventListener("abort", this.#onAbort);
  }

  settle(output: unknown): void {
    this.#leave();
    this.#resolve(output);
  }

  settleAs(message: Extract<FromThread, { readonly type: "report" | "failed" }>): void {
    if (message.type === "failed") this.fail(thrownFrom(message.error));
    // The thread saw that it is a report; the symbol that says so does not cross threads.
    else this.settle(agentReport(message.report as AgentReport));
  }

  hear(message: Extract<FromThread, { readonly type: "heartbeat" | "progress" | "emit" | "log" }>): void {
    const { ctx } = this;
    switch (message.type) {
      case "heartbeat":
        ctx.heartbeat();
        break;
      case "progress":
        ctx.progress(message.fraction, message.detail);
        break;
      case "emit":
        // What the manager takes for JSON it checks itself; a thread can only send what can be copied.
        ctx.emit(message.chunk as JsonValue);
        break;
      case "log":
        ctx.log[message.level](message.message, message.fields);
        break;
    }
  }

  fail(error: LockyardError): void {
    this.#leave();
    this.#reject(error);
  }

  failToSend(cause: unknown): void {
    const what = `Task ${this.task.taskId} cannot be sent to a thread: ${describeError(cause).message}`;
    this.fail(
      new LockyardError("INVALID_CONTEXT", what, { hint: "Context and dependencies must be plain data.", cause }),
    );
  }

  #leave(): void {
    this.ctx.signal.removeEventListener("abort", this.#onAbort);
    this.grace?.cancel();
  }
}

/** The error of a thread, to be thrown here: what described it there is kept. */
function thrownFrom({ code, message, retryable, retryAfterMs, cause }: TaskError): LockyardError {
  return Object.assign(new LockyardError(code, message, { cause }), {
    retryable,
    ...(retryAfterMs === undefined ? undefined : { retryAfterMs }),
  });
}

function ignore(): void {}
