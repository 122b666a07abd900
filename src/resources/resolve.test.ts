import { mkdirSync, mkdtempSync, realpathSync, rmSync, symlinkSync, unlinkSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import fc from "fast-check";
import { afterAll, beforeAll, expect, test } from "vitest";
import { EXCLUSIVE, RATE, SHARED, UNITS } from "../core/claims.ts";
import { declareResources } from "../core/declared.ts";
import type { Fault } from "../core/errors.ts";
import type { Claim } from "../core/task.ts";
import { type ResolveContext, recheckClaims, resolveClaims, resolveContext } from "./resolve.ts";

let root = "";
let context: ResolveContext;
beforeAll(() => {
  root = realpathSync(mkdtempSync(join(tmpdir(), "lockyard-claims-")));
  mkdirSync(join(root, "src"));
  const declared = declareResources(
    { port: { pool: "3000-3001", env: "PORT" }, claude: { rate: "60/min", burst: 5 } },
    { by: "option resources", workspace: "ws", cores: 8 },
  );
  context = resolveContext({ root, workspace: "ws", declared });
});
afterAll(() => rmSync(root, { recursive: true, force: true }));

const resolve = (...claims: Claim[]) =>
  resolveClaims(claims, context).claims.map(({ node, mode, units }) => [node, mode, units]);
function faultsOf(...claims: unknown[]): { code: string; faults: readonly Fault[] } {
  try {
    resolveClaims(claims as Claim[], { ...context, where: "tasks[3].claims" });
  } catch (error) {
    return error as { code: string; faults: readonly Fault[] };
  }
  return { code: "none", faults: [] };
}

test("every verb becomes a node and a mode", () => {
  expect(
    resolve(
      { write: "src" },
      { read: "docs" },
      { use: "build:2" },
      { use: "port" },
      { use: "claude", units: 3 },
      { lock: "db" },
      { lock: "machine:gpu", mode: "shared" },
    ),
  ).toEqual([
    [`f:${root}/src`, EXCLUSIVE, 1],
    [`f:${root}/docs`, SHARED, 1],
    ["c:build", UNITS, 2],
    ["p:port", UNITS, 1],
    ["r:claude", RATE, 3],
    ["n:ws:db", EXCLUSIVE, 1],
    ["n:machine:gpu", SHARED, 1],
  ]);
});

test("observe locks nothing", () => {
  expect(resolveClaims([{ observe: "docs/**" }], context)).toEqual({ claims: [], observed: ["docs/**"] });
});

test("a task never conflicts with itself: the stronger mode wins, units add up", () => {
  expect(resolve({ read: "src" }, { write: "src" }, { use: "build" }, { lock: "build" })).toEqual([
    [`f:${root}/src`, EXCLUSIVE, 1],
    ["c:build", UNITS, 2],
  ]);
});

test("an unknown name is refused with the nearest declared one and the way to a mutex", () => {
  const { code, faults } = faultsOf({ use: "biuld" });
  expect(code).toBe("UNKNOWN_RESOURCE");
  expect(faults).toEqual([
    {
      where: "tasks[3].claims[0].use",
      what: 'no capacity, pool or rate named "biuld"',
      hint: 'Did you mean "build" (2 units, default)? For a plain mutex: lock biuld',
    },
  ]);
});

test("a sum over capacity is refused before start, naming both numbers", () => {
  const { code, faults } = faultsOf({ use: "build" }, { use: "build:2" });
  expect(code).toBe("OVER_CAPACITY");
  expect(faults[0]?.what).toBe('asks for 3 units of "build" in all and it has 2 (default)');
  expect(faultsOf({ use: "port:3" }).code).toBe("OVER_CAPACITY");
  expect(faultsOf({ use: "claude:6" }).code).toBe("OVER_CAPACITY");
});

test("all faults of a task are told at once", () => {
  const { code, faults } = faultsOf(
    { use: "nothing-like-it" },
    { write: "" },
    { write: "a", read: "b" },
    { lock: "a", mode: "both" },
    { lock: "a", moed: "shared" },
    { use: "build:x" },
    { use: "build:0" },
    { use: "build:1", units: 1 },
    { lock: "a//b" },
    null,
    {},
    { write: "ok" },
    { lock: "git:indx" },
  );
  expect(code).toBe("INVALID_CLAIM");
  expect(faults.map(({ where }) => Number(/\[(\d+)\]/.exec(where.slice(8))?.[1]))).toEqual([
    0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 12,
  ]);
  expect(faults[4]?.hint).toBe('Did you mean "mode"?');
});

test("more than 64 claims are refused with both numbers", () => {
  const { code, faults } = faultsOf(...Array.from({ length: 65 }, (_, index) => ({ lock: `n${index}` })));
  expect(code).toBe("LIMIT_EXCEEDED");
  expect(faults[0]?.what).toContain("65 claims and the limit is 64");
});

test("the check before a start is quiet while nothing moved and tells new claims when a link did", () => {
  const claims: Claim[] = [{ lock: "db" }, { write: "through/x" }];
  const before = resolveClaims(claims, context).claims;
  expect(recheckClaims(claims, before, context)).toBeNull();
  symlinkSync("src", join(root, "through"));
  const now = recheckClaims(claims, before, context)?.claims.map(({ node }) => node);
  expect(now).toEqual(["n:ws:db", `f:${root}/through/x`, `f:${root}/src/x`]);
  unlinkSync(join(root, "through"));
});

test("the same claim is the same object", () => {
  const [first] = resolveClaims([{ lock: "db" }], context).claims;
  expect(resolveClaims([{ lock: "db" }], context).claims[0]).toBe(first);
});

test("the order of claims changes nothing but the order of locks, and a claim twice is a claim once", () => {
  const claim = fc.oneof(
    fc.record({
      lock: fc.constantFrom("a", "a/b", "c"),
      mode: fc.constantFrom("shared" as const, "exclusive" as const),
    }),
    fc.record({ write: fc.constantFrom("src", "src/a", "docs") }),
    fc.record({ read: fc.constantFrom("src", "src/a", "docs") }),
  );
  const plain = (claims: readonly Claim[]) => new Set(resolve(...claims).map(String));
  fc.assert(
    fc.property(fc.array(claim, { maxLength: 12 }), (claims) => {
      expect(plain(claims.toReversed())).toEqual(plain(claims));
      expect(plain([...claims, ...claims])).toEqual(plain(claims));
    }),
  );
});
