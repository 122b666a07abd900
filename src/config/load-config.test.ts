import { expect, test } from "vitest";
import type { LockyardError } from "../core/errors.ts";
import { formatFaults } from "../plan/faults.ts";
import { parsePlan } from "../plan/parse-plan.ts";
import { findConfigFiles, userConfigPath } from "./find-files.ts";
import { type LoadConfigOptions, loadConfig, textsOf } from "./load-config.ts";

const USER = "/home/ada/.config/lockyard/config.yaml";

function optionsFor(files: Readonly<Record<string, string>>, more: Partial<LoadConfigOptions> = {}): LoadConfigOptions {
  const readFile = (path: string) => (Object.hasOwn(files, path) ? files[path] : undefined);
  return { cwd: "/repo/packages/api", home: "/home/ada", env: {}, cores: 8, readFile, ...more };
}

function refusal(options: LoadConfigOptions): LockyardError {
  try {
    loadConfig(options);
  } catch (error) {
    expect(error).toMatchObject({ code: "INVALID_CONFIG" });
    return error as LockyardError; // as the line above found
  }
  throw new Error("the configuration was accepted");
}

test("without a file there is build, and nothing else", () => {
  const config = loadConfig(optionsFor({}));
  expect([...config.inForce.values()]).toMatchObject([{ name: "build", capacity: 2, declaredBy: "default" }]);
  expect(config).toMatchObject({ files: [], root: "/repo/packages/api", concurrency: null, identify: true, rules: [] });
});

test("the user's file is where the base directory specification says", () => {
  expect(userConfigPath({ home: "/home/ada", env: {} })).toBe(USER);
  expect(userConfigPath({ home: "/home/ada", env: { XDG_CONFIG_HOME: "/etc/x" } })).toBe("/etc/x/lockyard/config.yaml");
  expect(userConfigPath({ home: "/home/ada", env: { XDG_CONFIG_HOME: "relative" } })).toBe(USER);
});

test("the nearest lockyard.yaml counts, no higher than the repository", () => {
  const files = {
    "/repo/.git/HEAD": "ref: refs/heads/main",
    "/lockyard.yaml": "concurrency: 1",
    "/repo/lockyard.yaml": "concurrency: 2",
  };
  expect(loadConfig(optionsFor(files))).toMatchObject({ concurrency: 2, root: "/repo" });
  expect(loadConfig(optionsFor({ ...files, "/repo/packages/lockyard.yaml": "concurrency: 3" })).concurrency).toBe(3);
  const { "/repo/lockyard.yaml": _, ...without } = files;
  expect(loadConfig(optionsFor(without)).concurrency).toBeNull();
});

test("a worktree, where .git is a file, is a repository too", () => {
  const files = { "/repo/.git": "gitdir: /elsewhere", "/repo/lockyard.yaml": "concurrency: 2" };
  expect(loadConfig(optionsFor(files))).toMatchObject({ concurrency: 2, root: "/repo" });
});

test("outside of a repository only the directory itself is looked at", () => {
  expect(loadConfig(optionsFor({ "/repo/lockyard.yaml": "concurrency: 2" })).concurrency).toBeNull();
  expect(loadConfig(optionsFor({ "/repo/packages/api/lockyard.yaml": "concurrency: 2" })).concurrency).toBe(2);
});

test("the user's number wins over a repository's; each says who declared it", () => {
  const config = loadConfig(
    optionsFor({
      [USER]: "resources: { build: { capacity: 3 } }\nconcurrency: auto\n",
      "/repo/.git/HEAD": "x",
      "/repo/lockyard.yaml": "resources: { build: { capacity: 1 }, api: { rate: 60/min } }\nconcurrency: 4\n",
    }),
  );
  expect(config.inForce.get("build")).toMatchObject({ capacity: 3, declaredBy: USER });
  expect(config.inForce.get("api")).toMatchObject({
    kind: "rate",
    intervalMs: 1_000,
    declaredBy: "/repo/lockyard.yaml",
  });
  expect(config.declared.map(({ name, declaredBy, authority }) => [name, declaredBy, authority])).toEqual([
    ["build", "default", false],
    ["build", USER, true],
    ["build", "/repo/lockyard.yaml", false],
    ["api", "/repo/lockyard.yaml", false],
  ]);
  expect(config.concurrency).toBe("auto");
});

test("agents say which file declares them, the user's first", () => {
  const { agents } = loadConfig(
    optionsFor({
      [USER]: "agents: { writer: { kind: codex } }",
      "/repo/.git/HEAD": "x",
      "/repo/lockyard.yaml": "agents: { writer: { kind: gemini }, tool: { kind: command, run: node tool.mjs } }",
    }),
  );
  expect(agents.writer).toMatchObject({ kind: "codex", declaredBy: USER });
  expect(agents.tool).toMatchObject({ command: { argv: ["node", "tool.mjs"] }, declaredBy: "/repo/lockyard.yaml" });
});

test("rules take what any of the files declares", () => {
  const { rules } = loadConfig(
    optionsFor({
      [USER]: "resources: { gpu: { capacity: 1 } }",
      "/repo/.git/HEAD": "x",
      "/repo/lockyard.yaml": "rules:\n  - { match: [npm test*, cargo *], use: [build, gpu] }\n",
    }),
  );
  expect(rules).toEqual([
    {
      match: ["npm test*", "cargo *"],
      claims: [{ use: "build" }, { use: "gpu" }],
      declaredBy: "/repo/lockyard.yaml",
    },
  ]);
});

test("faults of all files are told at once, with their lines", () => {
  const options = optionsFor({
    [USER]: "resources:\n  build: { capacity: many }\nconcurency: 3\n",
    "/repo/.git/HEAD": "x",
    "/repo/lockyard.yaml":
      "rules:\n  - { match: npm test, use: biuld }\n  - { match: x }\nagents: { a: { kind: cdex } }\n",
  });
  const error = refusal(options);
  expect(error.faults.map(({ where, what }) => `${where} ${what}`)).toEqual([
    `${USER}:2:22 "capacity" must be a whole number from 1 to 1,000,000,000`,
    `${USER}:3:1 unknown key "concurency"`,
    '/repo/lockyard.yaml:2:29 no capacity, pool or rate named "biuld"',
    "/repo/lockyard.yaml:3:5 the rule takes nothing",
    '/repo/lockyard.yaml:4:22 "kind" must be command, thread, claude-code, codex, gemini, opencode or acp',
  ]);
  expect(formatFaults(error, textsOf(findConfigFiles(options).files))).toContain("  3 | concurency: 3\n    | ^");
});

test("an empty file says nothing", () => {
  expect(loadConfig(optionsFor({ [USER]: "# later\n" })).files).toHaveLength(1);
});

test("how the store is kept is said in the user's own file, and nowhere else", () => {
  const own = { [USER]: "store: { tier: power, prompts: none }" };
  expect(loadConfig(optionsFor(own)).store).toEqual({ tier: "power", prompts: "none" });
  expect(loadConfig(optionsFor({})).store).toEqual({});
  const found = { "/repo/.git/HEAD": "x", "/repo/lockyard.yaml": "concurrency: 2\nstore: { prompts: full }" };
  expect(refusal(optionsFor(found)).faults).toEqual([
    {
      where: "/repo/lockyard.yaml:2:8",
      what: '"store" does not belong into a repository: one store serves all of yours',
      hint: "set it in ~/.config/lockyard/config.yaml",
    },
  ]);
});

test("a plan knows what configuration declares, and the smaller number counts", () => {
  const { declared, agents } = loadConfig(
    optionsFor({ [USER]: "resources: { gpu: { capacity: 2 } }\nagents: { w: { kind: codex } }\n" }),
  );
  const text = "resources: { gpu: { capacity: 9 } }\ntasks: { a: { agent: w, description: x, use: gpu:3 } }\n";
  const parse = () => parsePlan(text, { file: "plan.yaml", root: "/repo", declared, agents });
  expect(parse).toThrow(
    expect.objectContaining({
      faults: [
        { where: "plan.yaml:2:46", what: `3 of "gpu" and there are 2 units (${USER})`, hint: expect.any(String) },
      ],
    }),
  );
  const plan = parsePlan(text.replace("gpu:3", "gpu:2"), { file: "plan.yaml", root: "/repo", declared, agents });
  expect(plan.agents.w).toMatchObject({ kind: "codex", declaredBy: USER });
  expect(plan.inForce.get("gpu")).toMatchObject({ capacity: 2, declaredBy: USER });
});
