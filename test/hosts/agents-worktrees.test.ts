// Real coding agents in worktrees of their own: merged, and asked about when two changed the same line.
import { writeFileSync } from "node:fs";
import path from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { onBench, SHELL } from "./coding.ts";
import { HOSTS, useHosts } from "./host.ts";
import type { HostName } from "./programs.ts";

useHosts();

const before = process.env.XDG_STATE_HOME;
beforeEach(() => {
  delete process.env.XDG_STATE_HOME;
});
afterEach(() => {
  if (before === undefined) delete process.env.XDG_STATE_HOME;
  else process.env.XDG_STATE_HOME = before;
});

const call = { agentId: "worker", taskType: "work", description: "go" } as const;

describe.each(HOSTS)("%s in a worktree", (host: HostName) => {
  test("two that change the same line: one is merged, the other asked about, resolved and merged", async () => {
    const script = () => [
      { text: "working", calls: [SHELL[host]('echo "$LOCKYARD_TASK" > line.txt')] },
      { text: "done" },
    ];
    const files = { "line.txt": "first\n" };
    await onBench(host, script, {
      files,
      agent: { isolation: "worktree" },
      work: async ({ manager, place }) => {
        process.env.XDG_STATE_HOME = path.join(place.repository, "..", "state");
        const questions: string[] = [];
        void (async () => {
          for await (const event of manager.events()) {
            if (event.type !== "task-needs-input") continue;
            questions.push(event.question);
            const worktree = /Resolve them in (\S+),/.exec(event.question)?.[1] ?? "";
            writeFileSync(path.join(worktree, "line.txt"), "both\n");
            manager.answer(event.taskId, "retry");
          }
        })();
        const results = await manager.executeParallelTasks([
          { ...call, taskId: "a" },
          { ...call, taskId: "b" },
        ]);
        expect(results.map(({ success, errorMessage }) => errorMessage ?? success)).toEqual([true, true]);
        expect(results[0]?.touched).toEqual(["line.txt"]);
        expect(questions).toHaveLength(1);
        expect(questions[0]).toContain("conflicts in line.txt");
        expect(place.read("line.txt")).toBe("both\n");
        expect(place.git("worktree", "list").trim().split("\n")).toHaveLength(1);
        expect(place.git("branch", "--list", "lockyard/*")).toBe("");
        expect(await place.survivors()).toEqual([]);
      },
    });
  });
});
