import { spawnSync } from "node:child_process";
import { fileURLToPath } from "node:url";
import { expect, test } from "vitest";
import * as lockyard from "./index.ts";

test("the public names are these, and no other", () => {
  expect(Object.keys(lockyard).sort()).toEqual([
    "EVENT_VERSION",
    "LockyardError",
    "MCPIntegrationLayer",
    "ParallelTaskManager",
    "ResourceClaims",
    "acpAgent",
    "agentReport",
    "batchTaskCalls",
    "builtinResourceManager",
    "codingCliAgent",
    "commandAgent",
    "createTaskCall",
    "criticalPathScheduler",
    "defineAgents",
    "executeTaskBatches",
    "fifoScheduler",
    "functionAgent",
    "memoryStore",
    "priorityScheduler",
    "rateLimited",
    "sqliteStore",
    "threadAgent",
  ]);
});

test("importing the library does not load SQLite", () => {
  const index = fileURLToPath(new URL("./index.ts", import.meta.url));
  const script = `
    await import(${JSON.stringify(index)});
    console.log(process.moduleLoadList.filter((name) => name === "NativeModule sqlite").length);`;
  const run = spawnSync(process.execPath, ["--input-type=module", "-e", script], { encoding: "utf8" });
  expect(run.stdout.trim()).toBe("0");
});
