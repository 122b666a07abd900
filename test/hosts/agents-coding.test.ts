// Claude Code and Codex (with LOCKYARD_HOSTS=all Gemini CLI and opencode too) as agents: what they do, cost and leave.
import { describe, expect, test } from "vitest";
import * as z from "zod";
import { onBench, SHELL } from "./coding.ts";
import { HOSTS, useHosts } from "./host.ts";
import type { Turn } from "./model/script.ts";
import type { HostName } from "./programs.ts";

useHosts();

const call = { agentId: "worker", taskType: "work", description: "go" } as const;
const failing = (status: number, times: number): readonly Turn[] =>
  Array.from({ length: times }, () => ({ fail: { status, retryAfterS: 0 } }));

describe.each(HOSTS)("%s as an agent", (host: HostName) => {
  test("does what its model says; its answer, tokens and cost are in the result, and nothing of it is left", async () => {
    const script = () => [{ text: "working", calls: [SHELL[host]("echo x > made.txt")] }, { text: "Finished." }];
    await onBench(host, script, {
      work: async ({ manager, place, model }) => {
        const details: string[] = [];
        manager.addProgressCallback((_instance, _fraction, detail) => void details.push(detail ?? ""));
        const [result] = await manager.executeParallelTasks([{ ...call, description: "-- make it\nwith two lines" }]);
        expect(result).toMatchObject({ success: true, output: "Finished.", attempts: 1 });
        expect(result?.usage?.inputTokens).toBe(200);
        expect(result?.usage?.outputTokens).toBe(40);
        if (host === "claude") expect(result?.usage?.costUsd).toBeGreaterThan(0);
        expect(place.read("made.txt")).toBe("x\n");
        expect(details.join("\n")).toContain("made.txt");
        expect(model.asked.some(({ said }) => said.includes("-- make it\nwith two lines"))).toBe(true);
        expect(await place.survivors()).toEqual([]);
      },
    });
  });

  test("with permissions: plan its shell changes nothing", async () => {
    const script = () => [{ text: "working", calls: [SHELL[host]("echo x > made.txt")] }, { text: "Finished." }];
    await onBench(host, script, {
      agent: { permissions: "plan" },
      work: async ({ manager, place }) => {
        await manager.executeParallelTasks([call]);
        expect(place.exists("made.txt")).toBe(false);
        expect(await place.survivors()).toEqual([]);
      },
    });
  });

  test("a provider that refuses fails the task with what it said, and is not asked again by another attempt", async () => {
    await onBench(host, () => failing(400, 20), {
      work: async ({ manager, place }) => {
        const [result] = await manager.executeParallelTasks([{ ...call, retry: { attempts: 3, baseMs: 10 } }]);
        expect(result).toMatchObject({ success: false, attempts: 1, error: { code: "AGENT_FAILED" } });
        expect(result?.errorMessage).toContain("scripted 400");
        expect(await place.survivors()).toEqual([]);
      },
    });
  });

  test("a provider that never answers is given up when the task says so, and nothing of it is left", async () => {
    await onBench(host, () => [{ hang: "before" }], {
      work: async ({ manager, place }) => {
        const [result] = await manager.executeParallelTasks([{ ...call, idleTimeoutMs: 12_000 }]);
        expect(result).toMatchObject({ success: false, status: "timed_out", error: { code: "IDLE_TIMEOUT" } });
        expect(await place.survivors()).toEqual([]);
      },
    });
  });

  test("cancelled while its shell has children that detached themselves: none of them survives", async () => {
    const command =
      "nohup sleep 3000 >/dev/null 2>&1 & setsid sleep 3001 & setsid nohup sh -c 'sleep 3002; :' & touch up; sleep 3003";
    await onBench(host, () => [{ text: "working", calls: [SHELL[host](command)] }, { text: "never" }], {
      work: async ({ manager, place }) => {
        const handle = manager.submit(call);
        while (!place.exists("up")) await new Promise((resolve) => setImmediate(resolve));
        expect(await handle.cancel()).toBe(true);
        expect(await handle.result).toMatchObject({ status: "cancelled" });
        expect(await place.survivors()).toEqual([]);
      },
    });
  });
});

describe.each(HOSTS.filter((host) => host === "claude" || host === "codex"))("%s", (host) => {
  test("an overloaded provider is waited for and costs no attempt", async () => {
    const script = () => [...failing(429, 3), { text: "after all" }];
    const errorHandler = {
      judge: ({ code }: { readonly code: string }) =>
        code === "RATE_LIMITED" ? { retryable: true, waitMs: 10 } : { retryable: false },
    };
    await onBench(host, script, {
      manager: { errorHandler },
      work: async ({ manager, model }) => {
        const [result] = await manager.executeParallelTasks([call]);
        expect(result).toMatchObject({ success: true, output: "after all", attempts: 1 });
        expect(model.asked.filter(({ tools }) => tools.length > 0)).toHaveLength(4);
      },
    });
  });

  test("two of them that write the same file take turns, in every order", async () => {
    const script = () => [
      { text: "working", calls: [SHELL[host]("echo in >> log.txt; sleep 0.3; echo out >> log.txt")] },
      { text: "done" },
    ];
    await onBench(host, script, {
      work: async ({ manager, place }) => {
        const claims = [{ write: "log.txt" }];
        const results = await manager.executeParallelTasks([
          { ...call, claims },
          { ...call, claims },
        ]);
        expect(results.map(({ success }) => success)).toEqual([true, true]);
        expect(place.read("log.txt")).toBe("in\nout\nin\nout\n");
      },
    });
  });

  test("an answer in the shape a task asks for", async () => {
    const structured = { calls: [{ tool: "StructuredOutput", input: { n: 3 } }] };
    const script = () => (host === "claude" ? [structured, { text: "done" }] : [{ text: '{"n":3}' }]);
    await onBench(host, script, {
      work: async ({ manager, place }) => {
        const outputSchema = z.object({ n: z.number() });
        const [result] = await manager.executeParallelTasks([{ ...call, outputSchema }]);
        expect(result).toMatchObject({ success: true, output: { n: 3 } });
        expect(await place.survivors()).toEqual([]);
      },
    });
  });
});
