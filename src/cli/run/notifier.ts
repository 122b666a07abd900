/**
 * `notify`: tells somebody that a person is needed, by a command or a webhook. It never holds the run up: each notice has ten
 * seconds, a few are under way at once, and one that fails is a line in the output.
 */
import { spawn } from "node:child_process";
import type { Clock, LockyardEvent } from "../../index.ts";
import type { Occasion, PlanNotice } from "../../plan/plan.ts";
import type { Environment } from "../terminal/capabilities.ts";
import type { RunSummary } from "./summary.ts";

export interface NotifierOptions {
  readonly notices: readonly PlanNotice[];
  readonly workflowId: string;
  /** Of the plan: commands run there. */
  readonly cwd: string;
  readonly env: Environment;
  readonly clock: Clock;
  /** One line for people. */
  readonly say: (line: string) => void;
}

/** What a command reads on standard input and a webhook is posted. */
interface Notice {
  readonly type: "lockyard-notice";
  readonly occasion: Occasion;
  readonly workflowId: string;
  /** One sentence, with what to type. */
  readonly text: string;
  readonly taskId?: string;
  readonly question?: string;
  readonly resourceId?: string;
  readonly summary?: RunSummary;
}

const LIMIT_MS = 10_000;
/** Notices under way at once; more are left out, and said to be. */
const AT_ONCE = 8;

export class Notifier {
  readonly #options: NotifierOptions;
  readonly #underWay = new Set<Promise<void>>();
  /** Tasks whose quarantine was told: there is an event for each of their locks. */
  readonly #quarantined = new Set<string>();

  constructor(options: NotifierOptions) {
    this.#options = options;
  }

  event(event: LockyardEvent): void {
    const { workflowId } = this.#options;
    if (event.type === "task-needs-input") {
      const { taskId, question } = event;
      const text = `${workflowId}/${taskId} asks: ${question} Answer: lockyard answer ${workflowId}/${taskId} "…"`;
      this.#tell({ occasion: "needs_input", text, taskId, question });
    } else if (event.type === "lock-quarantined" && !this.#quarantined.has(event.taskId)) {
      const { taskId, resourceId } = event;
      this.#quarantined.add(taskId);
      const text = `${resourceId} is quarantined: ${workflowId}/${taskId}, which held it, could not be stopped. Free it: lockyard unlock ${workflowId}/${taskId}`;
      this.#tell({ occasion: "quarantined", text, taskId, resourceId });
    }
  }

  paused(text: string): void {
    this.#tell({ occasion: "paused", text });
  }

  finished(summary: RunSummary): void {
    const { succeeded, total } = summary;
    const text = `${this.#options.workflowId} has finished: ${succeeded} of ${total} tasks succeeded.`;
    this.#tell({ occasion: "finished", text, summary });
  }

  /** Waits for those under way: at most as long as one may take. */
  async close(): Promise<void> {
    await Promise.all(this.#underWay);
  }

  #tell(about: Omit<Notice, "type" | "workflowId">): void {
    const { notices, workflowId, say } = this.#options;
    const body = JSON.stringify({ type: "lockyard-notice", workflowId, ...about } satisfies Notice);
    for (const notice of notices) {
      if (!notice.on.includes(about.occasion)) continue;
      if (this.#underWay.size >= AT_ONCE) {
        say(`warning: notify was left out, ${AT_ONCE} are under way: ${about.text}`);
        continue;
      }
      const sending = this.#send(notice, body)
        .catch((error: unknown) =>
          say(`warning: notify failed: ${error instanceof Error ? error.message : String(error)}`),
        )
        .finally(() => this.#underWay.delete(sending));
      this.#underWay.add(sending);
    }
  }

  async #send({ webhook, command }: PlanNotice, body: string): Promise<void> {
    const abort = new AbortController();
    const timer = this.#options.clock.setTimer(LIMIT_MS, () => abort.abort(), { background: true });
    try {
      if (webhook !== undefined) await post(webhook, body, abort.signal);
      else if (command !== undefined) await this.#run(command, body, abort.signal);
    } catch (error) {
      if (abort.signal.aborted) throw new Error(`it took longer than ${LIMIT_MS / 1_000} s`, { cause: error });
      throw error;
    } finally {
      timer.cancel();
    }
  }

  #run(command: NonNullable<PlanNotice["command"]>, body: string, signal: AbortSignal): Promise<void> {
    const { cwd, env } = this.#options;
    const [program = "", ...args] = "argv" in command ? command.argv : ["/bin/sh", "-c", command.shell];
    return new Promise((resolve, reject) => {
      const child = spawn(program, args, {
        cwd,
        env,
        stdio: ["pipe", "ignore", "ignore"],
        signal,
        killSignal: "SIGKILL",
      });
      child.once("error", reject);
      // One that does not read its input has said enough by that.
      child.stdin.on("error", () => undefined);
      child.stdin.end(`${body}\n`);
      child.once("close", (code) => {
        if (code === 0) resolve();
        else reject(new Error(`${program} ended with ${code ?? "a signal"}`));
      });
    });
  }
}

async function post(address: string, body: string, signal: AbortSignal): Promise<void> {
  const headers = { "content-type": "application/json" };
  const response = await fetch(address, { method: "POST", headers, body, signal, redirect: "error" });
  await response.body?.cancel();
  if (!response.ok) throw new Error(`${new URL(address).host} answered ${response.status}`);
}
