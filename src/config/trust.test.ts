import { mkdirSync, mkdtempSync, realpathSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import fc from "fast-check";
import { afterAll, expect, test } from "vitest";
import { type LoadConfigOptions, loadConfig } from "./load-config.ts";
import { agentsKey, trustFile, trustIn, trustLine } from "./trust.ts";

const place = realpathSync(mkdtempSync(join(tmpdir(), "lockyard-trust-")));
afterAll(() => rmSync(place, { recursive: true, force: true }));

const AGENTS = "agents:\n  writer: { kind: command, run: ./write --fast }\n";
const STATE = "/state";
const OWN = "/home/ada/.config/lockyard/config.yaml";

/** A configuration found in a repository of its own. */
function configIn(root: string, text: string, own?: string) {
  const files: Readonly<Record<string, string>> = {
    [join(root, "lockyard.yaml")]: text,
    [join(root, ".git/HEAD")]: "ref: refs/heads/main",
    ...(own === undefined ? {} : { [OWN]: own }),
  };
  const options: LoadConfigOptions = {
    cwd: root,
    home: "/home/ada",
    env: {},
    cores: 8,
    readFile: (path) => files[path],
  };
  return loadConfig(options);
}

function repository(name: string): string {
  const root = join(place, name);
  mkdirSync(join(root, ".git"), { recursive: true });
  return root;
}

const keyOf = (root: string, text: string) => configIn(root, text).agentKeys[join(root, "lockyard.yaml")] ?? "";

function isTrusted(root: string, text: string, approvals: string, env: Readonly<Record<string, string>> = {}): boolean {
  const readFile = (path: string) => (path === trustFile(STATE) ? approvals : undefined);
  return trustIn(configIn(root, text), { env, stateDirectory: STATE, readFile }).isTrusted(join(root, "lockyard.yaml"));
}

test("what was found starts nothing until it was approved, in that repository and for those agents", () => {
  const [here, there] = [repository("here"), repository("there")];
  const approvals = trustLine(keyOf(here, AGENTS), here);
  expect(isTrusted(here, AGENTS, "")).toBe(false);
  expect(isTrusted(here, AGENTS, approvals)).toBe(true);
  expect(isTrusted(there, AGENTS, approvals)).toBe(false);
  expect(isTrusted(here, AGENTS.replace("--fast", "--slow"), approvals)).toBe(false);
});

test("other parts of the file, and the order of what it says, never ask again", () => {
  const here = repository("here");
  const approvals = trustLine(keyOf(here, AGENTS), here);
  expect(isTrusted(here, `resources: { build: { capacity: 3 } }\n${AGENTS}concurrency: 4\n`, approvals)).toBe(true);
  expect(isTrusted(here, "agents: { writer: { run: ./write --fast, kind: command } }", approvals)).toBe(true);
});

test("a worktree of the repository asks no more than the repository", () => {
  const here = repository("main");
  const worktree = join(place, "worktree");
  mkdirSync(join(here, ".git/worktrees/w"), { recursive: true });
  writeFileSync(join(here, ".git/worktrees/w/commondir"), "../..\n");
  mkdirSync(worktree, { recursive: true });
  writeFileSync(join(worktree, ".git"), `gitdir: ${join(here, ".git/worktrees/w")}\n`);
  expect(isTrusted(worktree, AGENTS, trustLine(keyOf(here, AGENTS), here))).toBe(true);
});

test("a key in the environment approves everywhere, a wrong or cut one nowhere", () => {
  const here = repository("here");
  const key = keyOf(here, AGENTS);
  expect(isTrusted(here, AGENTS, "", { LOCKYARD_TRUST: `other, ${key}` })).toBe(true);
  for (const wrong of ["", key.slice(1), `${key}0`, "*"]) {
    expect(isTrusted(here, AGENTS, "", { LOCKYARD_TRUST: wrong })).toBe(false);
  }
});

test("the user's own file is the user's word, whatever the repository says", () => {
  const here = repository("here");
  const config = configIn(here, AGENTS, AGENTS);
  const trust = trustIn(config, { env: {}, stateDirectory: STATE, readFile: () => undefined });
  expect(trust.isTrusted(OWN)).toBe(true);
  expect(trust.isTrusted(join(here, "lockyard.yaml"))).toBe(false);
  expect(trust.isTrusted("/elsewhere/lockyard.yaml")).toBe(false);
});

test("keys are equal only for equal agents", () => {
  fc.assert(
    fc.property(fc.jsonValue(), fc.jsonValue(), (one, other) => {
      const same = JSON.stringify(one) === JSON.stringify(other);
      if (same) expect(agentsKey(one)).toBe(agentsKey(other));
      else if (typeof one !== "object" || typeof other !== "object") expect(agentsKey(one)).not.toBe(agentsKey(other));
    }),
  );
});
