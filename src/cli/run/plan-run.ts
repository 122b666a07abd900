/** One run of a plan: its engine, what is shown of it, what is kept of it. */

import { chooseStore } from "../../config/store-choice.ts";
import { systemClock } from "../../edges/basics.ts";
import type { AgentResult, Budget, LockyardEvent } from "../../index.ts";
import type { ExpandedPlan } from "../../plan/expand.ts";
import { EXIT, type ExitCode } from "../exit-codes.ts";
import type { LoadedPlan } from "../plan-file.ts";
import type { RunOptions } from "../program.ts";
import { runStore } from "../store/run-store.ts";
import type { Surroundings } from "../surroundings.ts";
import { chooseUi } from "../terminal/capabilities.ts";
import { count } from "../terminal/duration.ts";
import { budgetText } from "./budget-text.ts";
import { type Display, displayFor } from "./display.ts";
import { type Earlier, spentBy } from "./earlier.ts";
import { type Interrupts, listenForInterrupts } from "./interrupts.ts";
import { Notifier } from "./notifier.ts";
import type { PlanAgents } from "./plan-agents.ts";
import { concurrencyFor, PlanManager, relocated } from "./plan-manager.ts";
import { PlanRunner } from "./plan-runner.ts";
import { type RunNote, textsOfConfig } from "./run-note.ts";
import { type RunSummary, summarise } from "./summary.ts";
import { Tally } from "./tally.ts";
import { forgetOldLogs, TaskLogs } from "./task-logs.ts";

const KEEP_ALIVE_MS = 60_000;

export interface RunSurroundings extends Surroundings {
  readonly options: RunOptions;
  /** Instead of what the plan says. */
  readonly budget?: Budget;
}

export interface PlanRunParts {
  readonly loaded: LoadedPlan;
  readonly agents: PlanAgents;
  readonly around: RunSurroundings;
  /** Of a run that this one goes on with. */
  readonly earlier?: Earlier | null;
}

/** One run, from the first hand-over to the last line. */
export class PlanRun {
  readonly #loaded: LoadedPlan;
  readonly #agents: PlanAgents;
  readonly #around: RunSurroundings;
  readonly #clock = systemClock();
  readonly #workflowId: string;
  readonly #tally: Tally;
  readonly #display: Display;
  readonly #manager: PlanManager;
  readonly #runner: PlanRunner;
  readonly #abort = new AbortController();
  readonly #startedMs: number;
  /** Why nothing more is started; empty while it is. */
  #draining: "" | "interrupt" | "failure" | "budget" = "";
  /** ISO 8601; with `--no-keep-going`, when the first failure ended. After everything else until then. */
  #failedAt = "9999";
  #brokenGroups = 0;
  readonly #earlier: Earlier | null;
  readonly #startedAtMs: number;
  readonly #retried = new Set<string>();
  readonly #notifier: Notifier;
  readonly #logs: TaskLogs;
  /** What people are told while the budget keeps the rest from starting; empty while nothing does. */
  #pausedText = "";
  #budgetReason = "";
  /** The process ends and leaves tasks to go on with. */
  #hasLeft = false;

  constructor({ loaded, agents, around, earlier = null }: PlanRunParts) {
    this.#loaded = loaded;
    this.#agents = agents;
    this.#around = around;
    this.#earlier = earlier;
    const { plan, config } = loaded;
    const { options, out, err } = around;
    this.#startedMs = this.#clock.nowMs();
    this.#startedAtMs = earlier?.startedAtMs ?? this.#clock.wallMs();
    this.#workflowId = earlier?.workflowId ?? `${plan.name}-${suffix(this.#clock.random())}`;
    const expanded = { ...loaded.expanded, tasks: relocated(loaded.expanded.tasks, plan.root, config.root) };
    this.#tally = new Tally(expanded.tasks.length);
    this.#display = displayFor({
      ui: chooseUi(options, out.capabilities),
      out,
      err,
      clock: this.#clock,
      tally: this.#tally,
      workflowId: this.#workflowId,
      isVerbose: options.verbose === true,
      lastTaskId: lastOf(expanded),
    });
    const kept = { ...config.store, ...(options.tier === undefined ? {} : { tier: options.tier }) };
    this.#notifier = new Notifier({
      notices: [...plan.notify, ...config.notify],
      workflowId: this.#workflowId,
      cwd: plan.root,
      env: around.env,
      clock: this.#clock,
      say: (line) => this.#display.note(line),
    });
    this.#logs = new TaskLogs(this.#workflowId, () => this.#sharedFile());
    const store = runStore({ choice: chooseStore(options.store, around), kept, say: (line) => err.line(line) });
    this.#manager = new PlanManager({
      workflowId: this.#workflowId,
      plan,
      config,
      concurrency: concurrencyFor(options.concurrency, plan, config),
      agents: agents.agents,
      memberOf: (taskId) => agents.memberOf(taskId),
      store,
      clock: this.#clock,
      monitor: { onEvent: (event) => this.#onEvent(event) },
      budget: around.budget ?? {},
      // With nobody there to look, waiting for somebody to unlock could take for ever.
      onQuarantine: plan.onQuarantine ?? config.onQuarantine ?? (out.capabilities.isInteractive ? "wait" : "skip"),
      earlier: {
        resultOf: (taskId) => this.#runner.resultOf(taskId),
        runsAgain: (taskId) => earlier !== null || this.#retried.has(taskId),
        spent: spentBy(earlier?.results.values() ?? []),
      },
      onRetry: (taskIds) => this.#retry(taskIds),
    });
    this.#runner = new PlanRunner({
      engine: this.#manager,
      expanded,
      signal: this.#abort.signal,
      remainingMs: () => this.#remainingMs(),
      onMembers: (members) => {
        agents.add(members);
        this.#tally.total = this.#runner.members.length;
      },
      onFault: (groupId, error) => this.#onBrokenGroup(groupId, error),
      ...(earlier === null ? {} : { earlier: earlier.results, again: earlier.again }),
    });
    for (const { call } of this.#runner.members) {
      const status = this.#runner.resultOf(call.taskId)?.status;
      if (status !== undefined) this.#tally.count(status, 1);
    }
  }

  async run(): Promise<ExitCode> {
    const interrupts = this.#listen();
    // Heartbeats and watchers keep no process alive: a run that waits for another process's lock must not end for that.
    const keepAlive = this.#keepAlive();
    try {
      this.#warn();
      this.#keep("running", null);
      if (this.#earlier !== null) this.#display.note(this.#goesOn());
      this.#display.start(() => this.#manager.getParallelExecutionStatus());
      const results = await this.#runner.run();
      const file = this.#sharedFile();
      if (file !== null) forgetOldLogs(file, this.#clock.wallMs());
      const makespanMs = this.#clock.nowMs() - this.#startedMs;
      const { resourceContention } = this.#manager.parts.metrics.snapshot();
      const summary = summarise(results, makespanMs, resourceContention);
      this.#keep(this.#hasLeft ? "left" : "finished", summary);
      await this.#manager.close({ leave: this.#hasLeft });
      this.#display.finish(summary, results);
      if (this.#hasLeft) this.#display.note(this.#pausedText);
      else this.#notifier.finished(summary);
      return this.#exitCode(results, interrupts);
    } finally {
      keepAlive();
      interrupts.dispose();
      this.#logs.close();
      this.#display.close();
      await this.#manager.close();
      await this.#notifier.close();
    }
  }

  /** The file of the store others see too; null for none. */
  #sharedFile(): string | null {
    const { store } = this.#manager;
    return store === null || store.scope === "process" ? null : store.location;
  }

  #listen(): Interrupts {
    return listenForInterrupts({
      drain: () => {
        this.#display.setHint("finishing what runs; Ctrl-C again stops it");
        this.#drain("interrupt", "Interrupted: running tasks finish. Ctrl-C again stops them.");
      },
      stop: () => {
        this.#runner.stop();
        this.#display.setHint("stopping");
        this.#display.note("Interrupted again: stopping what runs.");
        this.#abort.abort();
      },
      leave: () => this.#display.close(),
    });
  }

  #keepAlive(): () => void {
    let timer = this.#clock.setTimer(KEEP_ALIVE_MS, again);
    const clock = this.#clock;
    function again() {
      timer = clock.setTimer(KEEP_ALIVE_MS, again);
    }
    return () => timer.cancel();
  }

  /** Kept by the store for `resume`, `retry` and `report`. */
  #keep(state: RunNote["state"], summary: RunSummary | null): void {
    const { plan, config, text, path } = this.#loaded;
    const { concurrency, only, deadline, keepGoing } = this.#around.options;
    const areKept = (config.store.prompts ?? "full") === "full";
    this.#manager.keep({
      version: 1,
      name: plan.name,
      path,
      file: plan.file,
      text: areKept ? text : null,
      config: areKept ? textsOfConfig(config) : null,
      options: {
        keepGoing,
        ...(concurrency === undefined ? {} : { concurrency }),
        ...(only === undefined ? {} : { only }),
        ...(deadline === undefined ? {} : { deadline }),
      },
      startedAtMs: this.#startedAtMs,
      state,
      summary,
    });
  }

  #goesOn(): string {
    const { finished, total } = this.#tally;
    return `Going on with ${this.#workflowId}: ${finished} of ${count(total, "task")} ended before and ${finished === 1 ? "is" : "are"} not run again.`;
  }

  #warn(): void {
    const { expanded } = this.#loaded;
    for (const warning of expanded.warnings) this.#display.note(`warning: ${warning}`);
  }

  #onEvent(event: LockyardEvent): void {
    this.#tally.take(event);
    this.#display.event(event);
    this.#logs.event(event);
    this.#notifier.event(event);
    if (event.type === "workflow-paused" && this.#draining === "")
      this.#notifier.paused(`${this.#workflowId} is paused. Continue: lockyard resume ${this.#workflowId}`);
    if (event.type === "budget-paused") this.#onBudget(event.reason);
    if (event.type === "workflow-started" && this.#pausedText !== "") this.#onGoOn();
    if (event.type === "task-finished" && isFailure(event.result) && !this.#around.options.keepGoing) {
      this.#failedAt = event.result.finishedAt;
      this.#drain("failure", "The first failure: running tasks finish (--no-keep-going).");
    }
    if (event.type === "task-finished" && this.#pausedText !== "") this.#leaveWhenQuiet();
  }

  /** What has not started stays in the store, for `resume`. In a store that ends with this process it is cancelled. */
  #onBudget(reason: string): void {
    if (this.#manager.store?.scope === "process") return this.#drain("budget", "");
    if (this.#draining !== "") return;
    this.#draining = "budget";
    this.#runner.stop();
    this.#tellPaused(reason);
    this.#leaveWhenQuiet();
  }

  /** For whoever looks, here and from other terminals. */
  #tellPaused(reason: string): void {
    const { finished: done, total } = this.#tally;
    this.#budgetReason = reason;
    this.#pausedText = budgetText(reason, { done, total, workflowId: this.#workflowId });
    this.#manager.pause(this.#pausedText);
  }

  /** Results are read a moment after the events that tell of them. */
  #leaveWhenQuiet(): void {
    if (this.#manager.running > 0) return;
    this.#clock.setTimer(0, () => {
      if (this.#pausedText === "" || this.#manager.running > 0) return;
      this.#tellPaused(this.#budgetReason);
      this.#hasLeft = true;
      this.#notifier.paused(this.#pausedText);
      this.#runner.leave();
    });
  }

  /** Somebody raised the budget while the last tasks ran. */
  #onGoOn(): void {
    if (this.#hasLeft) return;
    this.#draining = "";
    this.#pausedText = "";
    this.#display.note(`${this.#workflowId} goes on.`);
    this.#runner.goOn();
  }

  /** Another terminal wants tasks that ended without success to run again. */
  #retry(taskIds: readonly string[]): void {
    if (this.#draining !== "") return;
    const before = new Map(this.#runner.members.map(({ call }) => [call.taskId, this.#runner.resultOf(call.taskId)]));
    const again = this.#runner.retry(taskIds);
    for (const taskId of again) {
      this.#retried.add(taskId);
      const status = before.get(taskId)?.status;
      if (status !== undefined) this.#tally.count(status, -1);
    }
    this.#manager.reopen(again);
    this.#display.note(`${count(again.length, "task")} ${again.length === 1 ? "runs" : "run"} again (lockyard retry).`);
    this.#runner.goOn();
  }

  #onBrokenGroup(groupId: string, error: unknown): void {
    this.#brokenGroups++;
    const message = error instanceof Error ? error.message : String(error);
    this.#display.note(`error: ${groupId} cannot be unfolded, so it and what waits for it do not run: ${message}`);
  }

  /** Cancels what has not started; what runs goes on. */
  #drain(because: "interrupt" | "failure" | "budget", note: string): void {
    if (this.#draining !== "") return;
    this.#draining = because;
    this.#runner.stop();
    // What got the slot of the failed task did so in the very decision that ended it: it counts as not started.
    const instances = Object.values(this.#manager.getRunningInstances());
    const running = new Set(
      instances.filter(({ startTime }) => startTime < this.#failedAt).map(({ taskId }) => taskId),
    );
    const taskIds = this.#runner.unfinished.filter((taskId) => !running.has(taskId));
    if (note !== "") {
      const left = taskIds.length === 0 ? "" : ` ${count(taskIds.length, "task")} had not started and will not.`;
      this.#display.note(note + left);
    }
    // Their results say how it went; the count is of no use here.
    if (taskIds.length > 0) this.#manager.cancelTasks({ taskIds }).catch(() => undefined);
  }

  #remainingMs(): number | undefined {
    const wholeMs = this.#around.options.deadline ?? this.#loaded.plan.deadlineMs;
    return wholeMs === undefined ? undefined : Math.max(0, wholeMs - (this.#clock.nowMs() - this.#startedMs));
  }

  #exitCode(results: readonly AgentResult[], interrupts: Interrupts): ExitCode {
    if (interrupts.count > 0) return EXIT.interrupted;
    const isStoppedByBudget = this.#draining === "budget" && results.some(({ status }) => status === "cancelled");
    if (this.#hasLeft || isStoppedByBudget || results.some(({ error }) => error?.code === "DEADLINE"))
      return EXIT.limit;
    return results.every(({ success }) => success) && this.#brokenGroups === 0 ? EXIT.ok : EXIT.failed;
  }
}

function isFailure({ status }: AgentResult): boolean {
  return status === "failed" || status === "timed_out";
}

/** The only task on which nothing depends; null when there are several, or some are not known yet. */
function lastOf({ tasks, deferred }: ExpandedPlan): string | null {
  if (deferred.length > 0) return null;
  const needed = new Set(tasks.flatMap(({ call }) => call.dependsOn));
  const last = tasks.filter(({ call }) => !needed.has(call.taskId));
  return last.length === 1 ? (last[0]?.call.taskId ?? null) : null;
}

/** Four letters or digits, so that two runs of one plan can be told apart by eye. */
function suffix(chance: number): string {
  return Math.floor(chance * 36 ** 4)
    .toString(36)
    .padStart(4, "0");
}
