/** The worker processes of a storm: started, started again when they die, told to finish, and seen off. */
import { type ChildProcess, spawn } from "node:child_process";
import fs from "node:fs";
import { fileURLToPath } from "node:url";
import type { Faults } from "./proof.ts";
import { endGuardian, signal } from "./storm-processes.ts";
import type { StormWorkerSettings } from "./storm-worker.ts";

export interface StormWorkersOptions {
  readonly faults: Faults;
  readonly settings: Omit<StormWorkerSettings, "workflowId">;
  readonly count: number;
  readonly env: Readonly<Record<string, string>>;
  /** A worker may end by itself when it says one of these. */
  readonly alsoExpected: readonly string[];
}

interface Worker {
  readonly place: number;
  readonly workflowId: string;
  readonly child: ChildProcess;
  isKilled: boolean;
}

const STDERR_KEPT = 2_000;

export class StormWorkers {
  readonly #options: StormWorkersOptions;
  readonly #file = workerFile();
  readonly #living = new Map<string, Worker>();
  #isFinishing = false;
  started = 0;

  constructor(options: StormWorkersOptions) {
    this.#options = options;
  }

  start(): void {
    for (let place = 0; place < this.#options.count; place++) this.#start(place);
  }

  get living(): number {
    return this.#living.size;
  }

  get areGone(): boolean {
    return this.#living.size === 0;
  }

  /** By chance; undefined when all of them are being started. */
  any(random: () => number): { readonly workflowId: string } | undefined {
    const all = [...this.#living.values()];
    return all[Math.floor(random() * all.length)];
  }

  /** It is our child and not collected yet, so its number is still its own. */
  signal(workflowId: string, name: NodeJS.Signals): void {
    const worker = this.#living.get(workflowId);
    if (worker?.child.pid === undefined) return;
    if (name === "SIGKILL") worker.isKilled = true;
    signal(worker.child.pid, name);
  }

  /** For the control: what would end its leftovers is ended before it. */
  unguard(workflowId: string): void {
    const worker = this.#living.get(workflowId);
    if (worker?.child.pid !== undefined) endGuardian(worker.child.pid);
  }

  /** No more are started; those that live end when their work is done. */
  finish(): void {
    this.#isFinishing = true;
    for (const { child } of this.#living.values()) {
      if (child.pid !== undefined) signal(child.pid, "SIGCONT");
      child.stdin?.end();
    }
  }

  kill(): void {
    this.#isFinishing = true;
    for (const workflowId of this.#living.keys()) this.signal(workflowId, "SIGKILL");
  }

  #start(place: number): void {
    const { settings, env, faults, alsoExpected } = this.#options;
    const workflowId = `w${place}-${this.started}`;
    const own: StormWorkerSettings = { ...settings, workflowId, seed: settings.seed * 1_000 + this.started };
    this.started++;
    const child = spawn(process.execPath, ["--no-warnings", this.#file, JSON.stringify(own)], {
      stdio: ["pipe", "ignore", "pipe"],
      env: { ...process.env, ...env },
      // A group of its own: Ctrl-C in a terminal is for the monitor alone.
      detached: true,
    });
    const worker: Worker = { place, workflowId, child, isKilled: false };
    this.#living.set(workflowId, worker);
    let said = "";
    child.stderr.setEncoding("utf8").on("data", (text: string) => {
      said = (said + text).slice(-STDERR_KEPT);
    });
    child.stdin.on("error", () => undefined); // It was killed while we told it to finish.
    child.once("close", (code, name) => {
      this.#living.delete(workflowId);
      const isExpected = worker.isKilled || (code === 0 && this.#isFinishing);
      if (!isExpected && !alsoExpected.some((expected) => said.includes(expected))) {
        faults.add(`Worker ${workflowId} ended by itself with ${code ?? name}: ${said.trim()}`);
      }
      if (!this.#isFinishing) this.#start(place);
    });
  }
}

/** Beside this file, as source or bundled. */
function workerFile(): string {
  const urls = ["./storm-worker.ts", "./storm-worker.js"].map((name) => new URL(name, import.meta.url));
  const found = urls.map((url) => fileURLToPath(url)).find((file) => fs.existsSync(file));
  if (found === undefined) throw new Error("The storm's worker is not beside this file.");
  return found;
}
