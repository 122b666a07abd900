/** What the code in a thread is given beside its task: the part of an agent's context that crosses threads. */
import type { AgentContext, Logger } from "../../core/ports.ts";
import type { AgentTask, JsonValue } from "../../core/task.ts";
import type { DroppableMessage, FromThread, LogLevel, ThreadFacts } from "./messages.ts";

/** The context of `run(task, ctx)` in the module of a thread agent. */
export type ThreadContext = Pick<
  AgentContext,
  | "signal"
  | "taskId"
  | "instanceId"
  | "workflowId"
  | "attempt"
  | "fence"
  | "env"
  | "dependencies"
  | "log"
  | "progress"
  | "heartbeat"
  | "emit"
>;

interface Mouth {
  say(message: FromThread): void;
  sayDroppable(message: DroppableMessage): void;
}

/** Made for each call; signal and log only when they are asked for. What is said after the end is not heard. */
export class CallContext implements ThreadContext {
  readonly place: number;
  readonly #task: AgentTask;
  readonly #facts: ThreadFacts;
  readonly #mouth: Mouth;
  #controller: AbortController | undefined;
  #log: Logger | undefined;
  #hasEnded = false;

  constructor(call: { readonly place: number; readonly task: AgentTask; readonly facts: ThreadFacts }, mouth: Mouth) {
    this.place = call.place;
    this.#task = call.task;
    this.#facts = call.facts;
    this.#mouth = mouth;
  }

  get signal(): AbortSignal {
    this.#controller ??= new AbortController();
    return this.#controller.signal;
  }
  get taskId(): string {
    return this.#task.taskId;
  }
  get instanceId(): string {
    return this.#facts.instanceId;
  }
  get workflowId(): string {
    return this.#task.workflowId;
  }
  get attempt(): number {
    return this.#facts.attempt;
  }
  get fence(): number {
    return this.#facts.fence;
  }
  get env(): AgentContext["env"] {
    return this.#facts.env;
  }
  get dependencies(): AgentContext["dependencies"] {
    return this.#facts.dependencies;
  }
  get log(): Logger {
    this.#log ??= {
      debug: (message, fields) => this.#write("debug", message, fields),
      info: (message, fields) => this.#write("info", message, fields),
      warn: (message, fields) => this.#write("warn", message, fields),
      error: (message, fields) => this.#write("error", message, fields),
    };
    return this.#log;
  }

  progress(fraction: number, detail?: string): void {
    this.#tell({ type: "progress", place: this.place, fraction: Number(fraction), detail });
  }

  heartbeat(): void {
    if (!this.#hasEnded) this.#mouth.say({ type: "heartbeat", place: this.place });
  }

  emit(chunk: JsonValue): void {
    this.#tell({ type: "emit", place: this.place, chunk });
  }

  abort(): void {
    this.#controller ??= new AbortController();
    this.#controller.abort();
  }

  end(): void {
    this.#hasEnded = true;
  }

  #write(level: LogLevel, message: string, fields: Readonly<Record<string, unknown>> | undefined): void {
    this.#tell({ type: "log", place: this.place, level, message: String(message), fields });
  }

  #tell(message: DroppableMessage): void {
    if (!this.#hasEnded) this.#mouth.sayDroppable(message);
  }
}
