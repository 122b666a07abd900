/** A real repository in a directory of its own, with one commit, and a layer whose agent works on it. */
import { execFileSync } from "node:child_process";
import fs from "node:fs";
import os from "node:os";
import path from "node:path";
import { agentReport } from "../../src/core/agent-report.ts";
import type { AgentContext } from "../../src/core/ports.ts";
import type { AgentTask, TaskCall } from "../../src/core/task.ts";
import { type PlacedAgentOptions, placedAgent } from "../../src/footprint/placed-agent.ts";
import { MCPIntegrationLayer } from "../../src/index.ts";

export interface GitRepository {
  readonly root: string;
  /** Where worktrees are made. */
  readonly worktrees: string;
  git(...args: readonly string[]): string;
  write(file: string, text: string): void;
  read(file: string): string | undefined;
  commit(message: string): void;
  remove(): void;
}

export function gitRepository(files: Readonly<Record<string, string>> = { "README.md": "first\n" }): GitRepository {
  const base = fs.realpathSync(fs.mkdtempSync(path.join(os.tmpdir(), "lockyard-repository-")));
  const root = path.join(base, "repository");
  fs.mkdirSync(root);
  const env = { PATH: process.env.PATH, HOME: base };
  const git = (...args: readonly string[]) =>
    execFileSync("git", ["-c", "user.name=A", "-c", "user.email=a@b.c", ...args], {
      cwd: root,
      env,
      encoding: "utf8",
      stdio: ["ignore", "pipe", "pipe"],
    }).trim();
  const repository: GitRepository = {
    root,
    worktrees: path.join(base, "worktrees"),
    git,
    write: (file, text) => put(root, file, text),
    read: (file) => {
      const place = path.join(root, file);
      return fs.existsSync(place) ? fs.readFileSync(place, "utf8") : undefined;
    },
    commit: (message) => {
      git("add", "--all");
      git("commit", "--quiet", "--message", message);
    },
    remove: () => fs.rmSync(base, { recursive: true, force: true }),
  };
  git("init", "--quiet", "--initial-branch=main");
  for (const [file, text] of Object.entries(files)) repository.write(file, text);
  repository.commit("first");
  return repository;
}

export function put(directory: string, file: string, text: string): void {
  const place = path.join(directory, file);
  fs.mkdirSync(path.dirname(place), { recursive: true });
  fs.writeFileSync(place, text);
}

/** What a task does where it is placed; what it returns is the output. */
export type Work = (place: string, task: AgentTask, ctx: AgentContext) => unknown;

/** A layer over the repository whose tasks do the work that stands under their id. */
export function layerOver(
  repository: Pick<GitRepository, "root" | "worktrees">,
  works: Readonly<Record<string, Work>>,
  options: Partial<PlacedAgentOptions> = {},
) {
  const coder = placedAgent({
    kind: "coder",
    root: repository.root,
    worktrees: repository.worktrees,
    run: async (task, ctx, { cwd }) =>
      agentReport({ output: String((await works[task.taskId]?.(cwd, task, ctx)) ?? cwd) }),
    ...options,
  });
  const warnings: string[] = [];
  const keep = (message: string) => {
    warnings.push(message);
  };
  const layer = new MCPIntegrationLayer({
    workflowId: "night",
    maxConcurrentTasks: 20,
    agents: { coder },
    root: repository.root,
    logger: { debug: () => undefined, info: () => undefined, warn: keep, error: keep },
  });
  return { layer, warnings };
}

export function task(taskId: string, fields: Partial<TaskCall<"coder">> = {}): TaskCall<"coder"> {
  return { agentId: "coder", taskType: "code", description: `Do ${taskId}`, taskId, ...fields };
}
