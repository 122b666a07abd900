import { expect, test } from "vitest";
import { isFitting } from "./fitting-version.ts";
import { knownHost, patienceIn, sessionOf } from "./host.ts";

test.for([
  [{}, null],
  [{ CLAUDECODE: "1" }, { name: "claude", shellLimitMs: 120_000 }],
  [
    { CLAUDECODE: "1", BASH_DEFAULT_TIMEOUT_MS: "300000" },
    { name: "claude", shellLimitMs: 300_000 },
  ],
  [{ CODEX_SANDBOX: "seatbelt" }, { name: "codex", shellLimitMs: 60_000 }],
  [{ CODEX_HOME: "/somewhere" }, null],
  [{ GEMINI_CLI: "1" }, { name: "gemini", shellLimitMs: 300_000 }],
  [{ OPENCODE: "1" }, { name: "opencode", shellLimitMs: 120_000 }],
  [{ CLAUDECODE: "0" }, null],
  [{ LOCKYARD_HOST_LIMIT: "90s" }, { name: "host", shellLimitMs: 90_000 }],
  [
    { CLAUDECODE: "1", LOCKYARD_HOST_LIMIT: "90s" },
    { name: "claude", shellLimitMs: 90_000 },
  ],
] as const)("a host is known by what it sets: %#", ([env, host]) => {
  expect(knownHost(env)).toEqual(host);
});

test("exec stops waiting 20 s before its host, and waits at all where that allows little", () => {
  expect(patienceIn({ name: "claude", shellLimitMs: 120_000 })).toBe(100_000);
  expect(patienceIn({ name: "codex", shellLimitMs: 10_000 })).toBe(2_000);
});

test("a session is what the host calls it", () => {
  expect(sessionOf({ CLAUDE_CODE_SESSION_ID: "abc" }, true)).toBe("abc");
  expect(sessionOf({ LOCKYARD_SESSION: "mine", CLAUDE_CODE_SESSION_ID: "abc" }, false)).toBe("mine");
  expect(sessionOf({}, false)).toBe("");
});

test.for([
  ["20.19.0", false],
  ["22.22.9", false],
  ["22.23.0", true],
  ["23.11.0", false],
  ["24.14.1", false],
  ["24.15.0", true],
  ["25.9.0", false],
  ["26.0.0", true],
] as const)("Node %s: %s", ([version, fits]) => {
  expect(isFitting(version)).toBe(fits);
});
