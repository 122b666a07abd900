/** An ACP agent that does what a script says, in a directory of its own. */
import fs from "node:fs";
import os from "node:os";
import path from "node:path";
import { fileURLToPath } from "node:url";
import { afterEach, expect } from "vitest";
import { type AcpAgentOptions, acpAgent } from "../../src/agents/acp/acp-agent.ts";
import type { AgentContext, AgentReport, HeldLocks } from "../../src/core/ports.ts";
import type { Claim } from "../../src/core/task.ts";
import { describeError } from "../../src/core/task-error.ts";
import { heardContext, someTask } from "./agent-context.ts";

const AGENT = fileURLToPath(new URL("./scripted-acp-agent.mjs", import.meta.url));

const folders: string[] = [];
afterEach(() => {
  for (const folder of folders.splice(0)) fs.rmSync(folder, { recursive: true });
});

export function folder(): string {
  const made = fs.realpathSync(fs.mkdtempSync(path.join(os.tmpdir(), "lockyard-acp-")));
  folders.push(made);
  return made;
}

type Options = Partial<AcpAgentOptions<unknown, unknown>>;

export interface Scene {
  readonly cwd: string;
  readonly claims: Claim[];
  readonly run: () => Promise<AgentReport>;
  readonly failure: () => Promise<ReturnType<typeof describeError>>;
  readonly heard: ReturnType<typeof heardContext>;
  log(): string;
}

/** An agent that does these steps, in a directory of its own; it is granted every lock unless `lock` says otherwise. */
export function scene(steps: readonly object[], options: Options = {}, lock?: AgentContext["lock"]): Scene {
  const cwd = folder();
  const claims: Claim[] = [];
  const heard = heardContext({
    lock: async (asked, more) => {
      claims.push(...asked);
      heard.ctx.heartbeat();
      return lock?.(asked, more) ?? granted();
    },
  });
  const log = path.join(cwd, "log");
  const { env, ...rest } = options;
  const agent = acpAgent({
    argv: [process.execPath, AGENT],
    root: cwd,
    env: { SCRIPT: JSON.stringify(steps), LOG: log, ...env },
    ...rest,
  });
  const run = async () => (await agent.run(someTask(), heard.ctx)) as AgentReport;
  return {
    cwd,
    claims,
    heard,
    run,
    failure: async () =>
      describeError(
        await run().then(
          (report) => expect.unreachable(`succeeded with ${JSON.stringify(report)}`),
          (error: unknown) => error,
        ),
      ),
    log: () => fs.readFileSync(log, "utf8"),
  };
}

export function granted(onRelease: () => void = () => undefined): HeldLocks {
  const release = async () => onRelease();
  return { fence: 1, resources: [], members: {}, release, [Symbol.asyncDispose]: release };
}
