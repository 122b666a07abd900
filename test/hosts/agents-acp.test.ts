// Real programs as agents that speak the Agent Client Protocol: Gemini CLI and opencode, with `LOCKYARD_HOSTS=all`.
import path from "node:path";
import { describe, expect, test } from "vitest";
import { program } from "../../scripts/hosts.mjs";
import { type AcpAgentOptions, acpAgent } from "../../src/agents/acp/acp-agent.ts";
import {
  type Agent,
  type AgentContext,
  type AgentResult,
  type LockyardEvent,
  MCPIntegrationLayer,
} from "../../src/index.ts";
import { HOSTS, useHosts } from "./host.ts";
import type { Call, Turn } from "./model/script.ts";
import { type Model, startModel } from "./model/server.ts";
import { makePlace, type Place } from "./place.ts";

type AcpHost = "gemini" | "opencode";

const ACP_HOSTS = HOSTS.filter((host): host is AcpHost => host === "gemini" || host === "opencode");

useHosts(ACP_HOSTS);

/** How each of them is started here, and what it calls its tools. */
const SETUPS: Readonly<
  Record<
    AcpHost,
    {
      readonly agent: (place: Place, model: Model) => AcpAgentOptions<unknown, unknown>;
      readonly replace: (file: string, from: string, to: string) => Call;
      readonly create: (file: string, content: string) => Call;
      readonly shell: (command: string) => Call;
    }
  >
> = {
  gemini: {
    agent: (place, model) => {
      place.write(
        "../home/.gemini/settings.json",
        JSON.stringify({
          security: { auth: { selectedType: "gemini-api-key" } },
          general: { enableAutoUpdate: false },
          privacy: { usageStatisticsEnabled: false },
        }),
      );
      return {
        preset: "gemini",
        argv: [program("gemini-cli").binary, "--acp"],
        model: "gemini-2.5-flash",
        env: {
          ...place.env,
          GEMINI_API_KEY: "lab",
          GOOGLE_GEMINI_BASE_URL: model.url,
          GEMINI_CLI_TRUST_WORKSPACE: "true",
        },
      };
    },
    replace: (file, from, to) => ({
      tool: "replace",
      input: { file_path: file, old_string: from, new_string: to, instruction: `replace ${from} with ${to}` },
    }),
    create: (file, content) => ({ tool: "write_file", input: { file_path: file, content } }),
    shell: (command) => ({ tool: "run_shell_command", input: { command, description: "run it" } }),
  },
  opencode: {
    agent: (place, model) => {
      const models = { lab: { name: "lab", limit: { context: 100_000, output: 8_000 } } };
      const options = { baseURL: `${model.url}/v1`, apiKey: "lab" };
      const config = {
        model: "lab/lab",
        small_model: "lab/lab",
        autoupdate: false,
        share: "disabled",
        provider: { lab: { npm: "@ai-sdk/openai-compatible", name: "lab", options, models } },
      };
      return {
        preset: "opencode",
        argv: [program("opencode").binary, "acp"],
        env: {
          ...place.env,
          OPENCODE_CONFIG_CONTENT: JSON.stringify(config),
          OPENCODE_DISABLE_AUTOUPDATE: "1",
          OPENCODE_DISABLE_MODELS_FETCH: "1",
          OPENCODE_DISABLE_LSP_DOWNLOAD: "1",
        },
      };
    },
    replace: (file, from, to) => ({ tool: "edit", input: { filePath: file, oldString: from, newString: to } }),
    create: (file, content) => ({ tool: "write", input: { filePath: file, content } }),
    shell: (command) => ({ tool: "bash", input: { command, description: "run it" } }),
  },
};

interface Stage {
  readonly place: Place;
  /** Runs one task for each script, all at once. */
  run(
    scripts: readonly (readonly Turn[])[],
    options?: Partial<AcpAgentOptions<unknown, unknown>>,
  ): Promise<AgentResult[]>;
  readonly events: LockyardEvent[];
  /** When files were locked and attempts were over: `locked task0`, `over task0`. */
  readonly turns: string[];
  readonly models: Model[];
  readonly controller: AbortController;
}

async function onStage(host: AcpHost, work: (stage: Stage) => Promise<void>): Promise<void> {
  const place = makePlace({ "shared.txt": "one\ntwo\n" });
  const models: Model[] = [];
  const events: LockyardEvent[] = [];
  const turns: string[] = [];
  const controller = new AbortController();
  try {
    await work({
      place,
      models,
      events,
      turns,
      controller,
      run: async (scripts, options) => {
        for (const script of scripts) models.push(await startModel(script));
        const agents = Object.fromEntries(
          models.map((model, index) => [
            `agent${index}`,
            noting(acpAgent({ root: place.repository, ...SETUPS[host].agent(place, model), ...options }), turns),
          ]),
        );
        await using layer = new MCPIntegrationLayer({ workflowId: "acp", agents });
        const listening = (async () => {
          for await (const event of layer.events()) events.push(event);
        })();
        const calls = models.map((_, index) => ({
          agentId: `agent${index}`,
          taskId: `task${index}`,
          taskType: "edit",
          description: "Do what you are told.",
        }));
        const results = await layer.executeMultipleTaskCalls(calls, { signal: controller.signal });
        await layer.close();
        await listening;
        return results;
      },
    });
  } finally {
    place.remove();
    for (const model of models) await model.close();
  }
}

describe.each(ACP_HOSTS)("%s", (host) => {
  const { replace, create, shell } = SETUPS[host];

  test("creates and edits files after it asked, says what it used, and leaves nothing", async () => {
    await onStage(host, async ({ place, run, turns }) => {
      const at = (name: string) => `${place.repository}/${name}`;
      const [result] = await run([
        [
          { calls: [create(at("new.txt"), "new\n")] },
          { calls: [replace(at("shared.txt"), "one", "ONE")] },
          { calls: [shell(`touch ${at("by-shell")}`)] },
          { text: "All is done." },
        ],
      ]);
      expect(place.exists("new.txt"), JSON.stringify(result)).toBe(true);
      expect(place.read("shared.txt")).toBe("ONE\ntwo\n");
      expect(place.exists("by-shell")).toBe(false);
      expect(result?.usage ?? result).toMatchObject({ inputTokens: expect.any(Number) });
      expect(result).toMatchObject({ evidence: [expect.stringMatching(/^refused: execute .*run nothing$/)] });
      expect(turns).toEqual(["locked new.txt by task0", "locked shared.txt by task0", "over task0"]);
      expect(await place.survivors()).toEqual([]);
    });
  });

  test("two of them on one file take turns, and no edit is lost", async () => {
    await onStage(host, async ({ place, run, events, models, turns }) => {
      const file = `${place.repository}/shared.txt`;
      let secondAsks: () => void = () => undefined;
      const asked = new Promise<void>((resolve) => {
        secondAsks = resolve;
      });
      const watching = setInterval(() => {
        const names = events.map((event) => ("taskId" in event && event.type === "task-progress" ? event.taskId : ""));
        if (names.includes("task1")) secondAsks();
      }, 20);
      const firstHolds = (async () => {
        while (models[0] === undefined) await new Promise((resolve) => setTimeout(resolve, 20));
        await models[0].reached(1);
      })();
      const results = await run([
        [{ calls: [replace(file, "one", "ONE")] }, { after: asked, text: "First." }],
        [{ after: firstHolds, calls: [replace(file, "two", "TWO")] }, { text: "Second." }],
      ]);
      clearInterval(watching);
      expect(results.map(({ output, errorMessage }) => errorMessage ?? output)).toEqual(["First.", "Second."]);
      expect(place.read("shared.txt")).toBe("ONE\nTWO\n");
      expect(turns).toEqual(["locked shared.txt by task0", "over task0", "locked shared.txt by task1", "over task1"]);
    });
  });

  test("cancelled in a command that detached a child, nothing of it survives", async () => {
    await onStage(host, async ({ place, run, models, controller }) => {
      const started = `${place.repository}/started`;
      const command = `nohup setsid sleep 987654 >/dev/null 2>&1 & touch ${started}; sleep 987654`;
      const running = run([[{ calls: [shell(command)] }, { text: "never" }]], { permissions: "full" });
      while (!place.exists("started")) await new Promise((resolve) => setTimeout(resolve, 50));
      controller.abort();
      const [result] = await running;
      expect(result).toMatchObject({ status: "cancelled" });
      expect(models).toHaveLength(1);
      expect(await place.survivors()).toEqual([]);
    });
  });

  test("an error of its provider fails the task and says what was said", async () => {
    await onStage(host, async ({ run }) => {
      const [result] = await run([[{ fail: { status: 400 } }, { fail: { status: 400 } }, { fail: { status: 400 } }]]);
      expect(result).toMatchObject({ success: false, error: { code: "AGENT_FAILED" } });
      expect(result?.errorMessage).toContain("scripted 400");
    });
  });
});

/** The agent, with a note of each lock it gets in its middle and of each end. */
function noting(agent: Agent, turns: string[]): Agent {
  return {
    ...agent,
    run: async (task, ctx) => {
      const lock: AgentContext["lock"] = async (claims, options) => {
        const held = await ctx.lock(claims, options);
        const names = claims.map((claim) => ("write" in claim ? path.basename(claim.write) : "other"));
        turns.push(`locked ${names.join(", ")} by ${task.taskId}`);
        return held;
      };
      // A proxy: what a context gives is made when asked for, and bound to it.
      const watched = new Proxy(ctx, {
        get: (target, key) => {
          if (key === "lock") return lock;
          const value: unknown = Reflect.get(target, key, target);
          return typeof value === "function" ? value.bind(target) : value;
        },
      });
      try {
        return await agent.run(task, watched);
      } finally {
        turns.push(`over ${task.taskId}`);
      }
    },
  };
}
