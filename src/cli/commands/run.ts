/** `lockyard run PLAN`. */
import { systemClock } from "../../edges/basics.ts";
import type { AgentResult, LockyardEvent } from "../../index.ts";
import type { ExpandedPlan } from "../../plan/expand.ts";
import { PlanFault } from "../config-for.ts";
import { EXIT, type ExitCode } from "../exit-codes.ts";
import { tellFailure } from "../failure.ts";
import { type LoadedPlan, loadPlan } from "../plan-file.ts";
import type { RunOptions } from "../program.ts";
import { type Display, displayFor } from "../run/display.ts";
import { type Interrupts, listenForInterrupts } from "../run/interrupts.ts";
import { type PlanAgents, planAgents } from "../run/plan-agents.ts";
import { concurrencyFor, PlanManager, relocated } from "../run/plan-manager.ts";
import { PlanRunner } from "../run/plan-runner.ts";
import { summarise } from "../run/summary.ts";
import { Tally } from "../run/tally.ts";
import { isTrusted } from "../run/trust.ts";
import { chooseStore } from "../store/choice.ts";
import { runStore } from "../store/run-store.ts";
import type { Surroundings } from "../surroundings.ts";
import { chooseUi } from "../terminal/capabilities.ts";
import { count } from "../terminal/duration.ts";

export async function runCommand(file: string, options: RunOptions, surroundings: Surroundings): Promise<ExitCode> {
  if (options.dry === true) {
    const { planCommand } = await import("./plan.ts");
    return planCommand(file, options, surroundings);
  }
  const json = options.json === true || options.ui === "json";
  try {
    const loaded = await loadPlan(file, { ...surroundings, only: options.only });
    const agents = planAgents(loaded.expanded, (declaredBy) => isTrusted(declaredBy, loaded));
    try {
      return await new PlanRun(loaded, agents, { ...surroundings, options }).run();
    } finally {
      await agents.close();
    }
  } catch (error) {
    if (error instanceof PlanFault) {
      return tellFailure(error.cause, surroundings, { json, details: error.details });
    }
    return tellFailure(error, surroundings, { json });
  }
}

const KEEP_ALIVE_MS = 60_000;

interface RunSurroundings extends Surroundings {
  readonly options: RunOptions;
}

/** One run, from the first hand-over to the last line. */
class PlanRun {
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

  constructor(loaded: LoadedPlan, agents: PlanAgents, around: RunSurroundings) {
    this.#loaded = loaded;
    this.#agents = agents;
    this.#around = around;
    const { plan, config } = loaded;
    const { options, out, err } = around;
    this.#startedMs = this.#clock.nowMs();
    this.#workflowId = `${plan.name}-${suffix(this.#clock.random())}`;
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
    });
  }

  async run(): Promise<ExitCode> {
    const interrupts = this.#listen();
    // Heartbeats and watchers keep no process alive: a run that waits for another process's lock must not end for that.
    const keepAlive = this.#keepAlive();
    try {
      this.#warn();
      this.#display.start(() => this.#manager.getParallelExecutionStatus());
      const results = await this.#runner.run();
      const makespanMs = this.#clock.nowMs() - this.#startedMs;
      const { resourceContention } = this.#manager.parts.metrics.snapshot();
      await this.#manager.close();
      this.#display.finish(summarise(results, makespanMs, resourceContention), results);
      return this.#exitCode(results, interrupts);
    } finally {
      keepAlive();
      interrupts.dispose();
      this.#display.close();
      await this.#manager.close();
    }
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

  #warn(): void {
    const { plan, expanded } = this.#loaded;
    for (const warning of expanded.warnings) this.#display.note(`warning: ${warning}`);
    if (plan.notify.length > 0) {
      this.#display.note("warning: this version does not carry out `notify`; it only checks how it is written.");
    }
  }

  #onEvent(event: LockyardEvent): void {
    this.#tally.take(event);
    this.#display.event(event);
    if (event.type === "budget-paused") this.#drain("budget", "");
    if (event.type === "task-finished" && isFailure(event.result) && !this.#around.options.keepGoing) {
      this.#failedAt = event.result.finishedAt;
      this.#drain("failure", "The first failure: running tasks finish (--no-keep-going).");
    }
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
    if (isStoppedByBudget || results.some(({ error }) => error?.code === "DEADLINE")) return EXIT.limit;
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
