/** The scripted agent: does what was planned for its task, and tells the books whenever it begins or stops. */
import { rateLimited } from "../../../core/agent-report.ts";
import { errorCode } from "../../../core/errors.ts";
import type { Agent, AgentContext } from "../../../core/ports.ts";
import type { AgentTask } from "../../../core/task.ts";
import type { Run } from "./books.ts";
import type { Act, PlannedCall } from "./calls.ts";
import type { ManagerProcess } from "./manager-process.ts";

export function actor(process: ManagerProcess): Agent {
  return { kind: "function", holder: "in-process", run: (task, ctx) => perform(process, task, ctx) };
}

/** Thrown as they are: an agent may throw anything. */
class Overload {
  readonly error: unknown;
  constructor(error: unknown) {
    this.error = error;
  }
}

function perform(process: ManagerProcess, task: AgentTask, ctx: AgentContext): unknown {
  const planned = process.world.planner.planOf(String(task.contextData?.taskId));
  if (planned === undefined) throw new Error("nobody planned this");
  const work = new Performance(process, { task, ctx, planned }).whole();
  if (!planned.settlesTwice) return work;
  process.world.sometimes.happened("thenable settled twice");
  return {
    // biome-ignore lint/suspicious/noThenProperty: a thenable that settles twice is what is tested here
    then: (resolve: (value: unknown) => void, reject: (error: unknown) => void) => {
      work.then(
        (value) => {
          resolve(value);
          reject(new Error("and then it failed"));
          resolve("and again");
        },
        (error: unknown) => {
          reject(error);
          resolve("and then it succeeded");
        },
      );
    },
  };
}

class Performance {
  readonly #process: ManagerProcess;
  readonly #ctx: AgentContext;
  readonly #planned: PlannedCall;
  readonly #taskId: string;
  readonly #run: Run;
  #taken = 0;

  constructor(
    process: ManagerProcess,
    { task, ctx, planned }: { readonly task: AgentTask; readonly ctx: AgentContext; readonly planned: PlannedCall },
  ) {
    this.#process = process;
    this.#ctx = ctx;
    this.#planned = planned;
    this.#taskId = task.taskId;
    const { books, parents } = process.world;
    const port = ctx.env.PORT;
    if (port !== undefined) process.world.sometimes.happened("pool member handed over");
    const claims = planned.call.claims ?? [];
    this.#run = books.began(task.taskId, { fence: ctx.fence, parent: parents.get(task.taskId) ?? null, claims, port });
    process.note(`${this.#run.touch.id} begins`);
    ctx.signal.addEventListener("abort", () => books.paused(this.#run), { once: true });
  }

  async whole(): Promise<unknown> {
    const { books } = this.#process.world;
    let ended: Run["ended"] = "threw";
    try {
      for (const act of this.#planned.acts) await this.#act(act);
      ended = "returned";
      return this.#planned.call.taskId;
    } catch (thrown) {
      if (thrown instanceof Overload) {
        ended = "overloaded";
        throw thrown.error;
      }
      throw thrown;
    } finally {
      this.#process.note(`${this.#run.touch.id} stops`);
      if (this.#process.world.meddle.leavesAgentsBehind()) this.#leaveBehind();
      else books.stopped(this.#run, ended);
    }
  }

  /** For a saboteur: says that it is done while its work goes on. */
  #leaveBehind(): void {
    this.#process.clock.setTimer(3_000, () => this.#process.world.books.stopped(this.#run, "returned"));
  }

  async #act(act: Act): Promise<void> {
    const ctx = this.#ctx;
    switch (act.do) {
      case "work":
        return this.#wait(act.ms);
      case "ignore":
        await this.#sleep(act.ms);
        if (ctx.signal.aborted) this.#process.world.sometimes.happened("stubborn agent settled late");
        return;
      case "hang":
        return this.#wait(null);
      case "storm":
        for (let time = 0; time < act.times; time++) {
          ctx.progress(time / act.times, `step ${time}`);
          if (time % 10 === 0) ctx.emit({ time });
        }
        ctx.heartbeat();
        return;
      case "fail":
        return this.#fail(act);
      case "lock":
        return this.#lock(act);
      case "run":
        return this.#children(act.calls);
      case "rate":
        await ctx.rate("api", act.tokens);
        return this.#process.world.sometimes.happened("rate waited for in the middle");
      case "ask":
        return this.#ask();
    }
  }

  /** Heeds the signal, and needs nobody to call it off. */
  #wait(ms: number | null): Promise<void> {
    const { signal, clock } = this.#ctx;
    return new Promise((resolve, reject) => {
      const stop = (): void => {
        timer?.cancel();
        reject(signal.reason);
      };
      const timer =
        ms === null
          ? null
          : clock.setTimer(ms, () => {
              signal.removeEventListener("abort", stop);
              resolve();
            });
      if (signal.aborted) stop();
      else signal.addEventListener("abort", stop, { once: true });
    });
  }

  #sleep(ms: number): Promise<void> {
    return new Promise((resolve) => void this.#ctx.clock.setTimer(ms, resolve));
  }

  #fail({ how, times }: Extract<Act, { readonly do: "fail" }>): void {
    const failed = this.#process.world.books.runsOf(this.#taskId).length - 1;
    if (failed >= times) return;
    switch (how) {
      case "error":
        throw Object.assign(new Error("planned"), { retryable: true });
      case "overload":
        throw new Overload(rateLimited({ retryAfterMs: 50 }));
      case "nothing":
        this.#process.world.sometimes.happened("agent threw something that is no error");
        throw undefined;
      case "text":
        throw "planned text";
    }
  }

  async #lock({ claims, ms, queueTimeoutMs }: Extract<Act, { readonly do: "lock" }>): Promise<void> {
    const { world } = this.#process;
    try {
      await using held = await this.#ctx.lock(claims, queueTimeoutMs === 0 ? {} : { queueTimeoutMs });
      const touchId = `${this.#process.name}:${this.#run.touch.id}~${++this.#taken}`;
      world.books.took(this.#run, touchId, { fence: held.fence, claims });
      world.sometimes.happened("lock taken in the middle");
      try {
        if (held.fence <= this.#run.fence) world.verdict.fail("L6", `${touchId} has fence ${held.fence}`);
        await this.#wait(ms);
      } finally {
        if (!this.#run.isOver) world.books.touches.end(touchId);
      }
    } catch (error) {
      if (errorCode(error) === "DEADLOCK") world.sometimes.happened("lock in the middle refused as a deadlock");
      else if (errorCode(error) === "QUEUE_TIMEOUT") world.sometimes.happened("lock in the middle timed out");
      else throw error;
    }
  }

  async #children(calls: readonly PlannedCall[]): Promise<void> {
    const { world } = this.#process;
    const renamed = calls.map((planned) => ({ ...planned.call, taskId: `${planned.call.taskId}.${this.#run.fence}` }));
    for (const [index, call] of renamed.entries()) {
      const planned = calls[index];
      if (planned !== undefined) world.books.handedOver(this.#process.name, call.taskId, planned, this.#run);
      world.parents.set(call.taskId, this.#run);
    }
    world.books.paused(this.#run);
    const results = await this.#ctx.run(renamed);
    for (const [index, call] of renamed.entries()) {
      const result = results[index];
      if (result !== undefined) world.books.result(call.taskId, result);
    }
    world.sometimes.happened("children run inside a task");
    if (results.some(({ success }) => !success))
      world.sometimes.happened("child refused or failed and its parent went on");
    if (!this.#ctx.signal.aborted) world.books.resumed(this.#run);
  }

  async #ask(): Promise<void> {
    const { world } = this.#process;
    world.books.paused(this.#run);
    world.askPerson(this.#process, this.#taskId);
    await this.#ctx.ask("which one?");
    world.sometimes.happened("asked a person and went on");
    if (!this.#ctx.signal.aborted) world.books.resumed(this.#run);
  }
}
