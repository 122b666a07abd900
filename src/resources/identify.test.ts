import fc from "fast-check";
import { expect, test } from "vitest";
import type { AgentTask, JsonObject } from "../core/task.ts";
import { builtinResourceManager, cleanId } from "./identify.ts";

function task(agentId: string, taskType: string, contextData?: JsonObject): AgentTask {
  const base = { taskId: "t1", workflowId: "w", group: "general" as const, agentId, taskType, description: "" };
  return contextData === undefined ? base : { ...base, contextData };
}
const manager = builtinResourceManager();
const claims = (...given: Parameters<typeof task>) => manager.identify(task(...given)).map(({ claim }) => claim);

test("with nothing named the type is claimed shared, and says from what", () => {
  expect(manager.identify(task("backend_specialist_1", "implementation"))).toEqual([
    { claim: { lock: "backend_services", mode: "shared" }, from: 'agent type "backend_specialist"' },
  ]);
});

test("named specifics are claimed exclusive, each with its place", () => {
  expect(
    manager.identify(task("backend_specialist_2", "api_implementation", { endpoints: ["users", "/projects/"] })),
  ).toEqual([
    { claim: { lock: "backend_services/users", mode: "exclusive" }, from: "contextData.endpoints[0]" },
    { claim: { lock: "backend_services/projects", mode: "exclusive" }, from: "contextData.endpoints[1]" },
  ]);
});

test("database configuration alone is exclusive when nothing is named", () => {
  expect(claims("database_specialist", "schema_change")).toEqual([{ lock: "database_config", mode: "exclusive" }]);
});

test("each built-in type is selected by its specialist", () => {
  const selected = ["backend", "frontend", "documentation", "database", "ui"].map((kind) =>
    claims(`${kind}_specialist_7`, "work"),
  );
  expect(selected.flat().map((claim) => ("lock" in claim ? claim.lock : ""))).toEqual([
    "backend_services",
    "frontend_assets",
    "documentation_files",
    "database_config",
    "ui_components",
  ]);
});

test("a context key alone selects the type that owns it", () => {
  expect(claims("worker_1", "job", { tables: "users" })).toEqual([
    { lock: "database_config/users", mode: "exclusive" },
  ]);
  expect(claims("worker_1", "job", { tables: [] })).toEqual([]);
  expect(claims("worker_1", "job", { files: ["a.md"] })).toEqual([]);
});

test("documenting an API claims documents, not services", () => {
  expect(claims("writer", "api_documentation", { apis: ["users"] })).toEqual([
    { lock: "documentation_files/users", mode: "exclusive" },
  ]);
});

test("the same specific named twice is claimed once", () => {
  expect(claims("backend_1", "work", { endpoints: ["users", "/users", "users/"], apis: ["users"] })).toHaveLength(1);
});

test("values that are no names are left out, impossible ones are faults", () => {
  expect(claims("backend_1", "work", { endpoints: ["/", "", 7, null, { path: "x" }] as never })).toEqual([
    { lock: "backend_services", mode: "shared" },
  ]);
  expect(() => claims("backend_1", "work", { endpoints: ["a\u0000b", "ok", "c\u0007"] })).toThrow(
    expect.objectContaining({
      code: "INVALID_CLAIM",
      faults: [expect.objectContaining({ where: "contextData.endpoints[0]" }), expect.anything()],
    }),
  );
});

test("more than 64 claims are refused with both numbers", () => {
  const endpoints = Array.from({ length: 65 }, (_, index) => `e${index}`);
  expect(() => claims("backend_1", "work", { endpoints })).toThrow(/65 resources and the limit is 64/);
});

test("a hostile context never reaches the prototype and never throws anything untyped", () => {
  const context = JSON.parse('{"__proto__":{"endpoints":["x"]},"constructor":["y"]}') as JsonObject;
  expect(claims("backend_1", "work", context)).toEqual([{ lock: "backend_services", mode: "shared" }]);
});

test("identify off infers nothing", () => {
  expect(builtinResourceManager({ identify: "off" }).identify(task("backend_1", "work"))).toEqual([]);
});

test("rules add types, words and claims", () => {
  const own = builtinResourceManager({
    rules: [
      { type: "models", words: ["trainer"], ownKeys: ["models"], claims: [{ use: "gpu" }] },
      { type: "backend_services", words: ["gopher"] },
    ],
  });
  expect(own.identify(task("trainer_1", "fit", { models: "bert" })).map(({ claim }) => claim)).toEqual([
    { use: "gpu" },
    { lock: "models/bert", mode: "exclusive" },
  ]);
  expect(own.identify(task("gopher_1", "fit"))).toHaveLength(1);
});

test("a cleaned id has no empty level and is its own cleaning", () => {
  fc.assert(
    fc.property(fc.string(), (text) => {
      const clean = cleanId(text);
      expect(clean.split("/").some((level) => level === "" && clean !== "")).toBe(false);
      expect(cleanId(clean)).toBe(clean);
    }),
  );
});
