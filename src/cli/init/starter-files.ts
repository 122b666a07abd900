/** What `init` proposes: from the repository's own scripts, so that the first plan does something real. */

import { heavyCommands } from "./command-rules.ts";
import { manifestOf, packageManager } from "./manifest.ts";

/** What is asked of the directory. */
export interface Repository {
  /** The text of a file, undefined when there is none. */
  readonly read: (name: string) => string | undefined;
  readonly name: string;
  readonly cores: number;
}

export interface StarterFile {
  readonly name: string;
  readonly text: string;
}

interface StarterTask {
  readonly id: string;
  readonly run: string;
  /** Takes a unit of `build`: several at once would melt the machine. */
  readonly isHeavy: boolean;
  readonly dependsOn: readonly string[];
}

/** Scripts a first plan takes, in this order, and which of them are heavy. What changes files or never ends is not among them. */
const SCRIPTS: readonly (readonly [RegExp, boolean])[] = [
  [/^(?:lint|lint:check|eslint|biome)$/, false],
  [/^(?:format:check|fmt:check|prettier:check|check:format)$/, false],
  [/^(?:typecheck|type-check|types|tsc|check-types|check:types)$/, true],
  [/^(?:test|test:unit|unit|vitest|jest)$/, true],
  [/^build$/, true],
  [/^(?:docs:build|build:docs)$/, true],
];

export function starterFiles(repository: Repository): readonly StarterFile[] {
  return [
    { name: "lockyard.yaml", text: configText(repository) },
    { name: "lockyard.plan.yaml", text: planText(repository) },
  ];
}

/** For hosts that read it: sessions in this repository may hand tasks to `lockyard mcp`. */
export const MCP_FILE: StarterFile = {
  name: ".mcp.json",
  text: `${JSON.stringify({ mcpServers: { lockyard: { command: "lockyard", args: ["mcp"] } } }, null, 2)}\n`,
};

function configText(repository: Repository): string {
  const { cores } = repository;
  const units = Math.max(1, Math.floor(cores / 4));
  return `# Lockyard, for this repository. Checked by: lockyard doctor
concurrency: auto          # tasks at once, where a plan does not say

resources:
  # Heavy commands take a unit (use: build), so that they take turns instead of melting the machine.
  # One unit for every four cores is a good start; this machine has ${cores}.
  build: { capacity: ${units} }
${rulesText(heavyCommands(repository))}`;
}

function rulesText(commands: readonly string[]): string {
  if (commands.length === 0) return "";
  // A text in JSON's quotes is the same in YAML.
  const lines = commands.map((command) => `      - ${JSON.stringify(command)}`).join("\n");
  return `
rules:
  # Commands that take their turn in the sessions that \`lockyard hooks\` guards, however they are called there.
  - match:
${lines}
    use: build
`;
}

function planText(repository: Repository): string {
  const found = tasksOf(repository);
  const tasks = found.length > 0 ? found : EXAMPLE;
  return `# yaml-language-server: $schema=./node_modules/lockyard/schema/plan.schema.json
# Look at it: lockyard plan lockyard.plan.yaml     Run it: lockyard run lockyard.plan.yaml
name: ${planName(repository.name)}

tasks:
${tasks.map(taskText).join("\n")}
  report:
    # Results of what it depends on come as JSON on its standard input.
    run: node -e "${REPORT}"
    dependsOn: [${tasks.map(({ id }) => id).join(", ")}]
    if: always
`;
}

const REPORT =
  "let s='';process.stdin.on('data',d=>s+=d).on('end',()=>{for(const [id,r] of Object.entries(JSON.parse(s).dependencies))console.log(id,r.status)})";

function taskText({ id, run, isHeavy, dependsOn }: StarterTask): string {
  return [
    `  ${id}:`,
    `    run: ${run}`,
    ...(isHeavy ? ["    use: build"] : []),
    ...(dependsOn.length > 0 ? [`    dependsOn: [${dependsOn.join(", ")}]`] : []),
    "",
  ].join("\n");
}

const EXAMPLE: readonly StarterTask[] = [
  { id: "first", run: "node --version", isHeavy: false, dependsOn: [] },
  { id: "second", run: "git --version", isHeavy: false, dependsOn: [] },
];

function tasksOf(repository: Repository): readonly StarterTask[] {
  const { scripts } = manifestOf(repository.read("package.json"));
  if (scripts.length > 0) {
    const runner = packageManager(repository.read);
    return SCRIPTS.flatMap(([pattern, isHeavy]) => {
      const name = scripts.find((script) => pattern.test(script));
      return name === undefined ? [] : [{ id: idOf(name), run: `${runner} run ${name}`, isHeavy, dependsOn: [] }];
    });
  }
  if (repository.read("Cargo.toml") !== undefined) return commands({ check: "cargo check", test: "cargo test" });
  if (repository.read("go.mod") !== undefined) return commands({ vet: "go vet ./...", test: "go test ./..." });
  if (repository.read("pyproject.toml") !== undefined) return commands({ test: "python -m pytest" });
  const makefile = repository.read("Makefile");
  if (makefile === undefined) return [];
  const targets = ["lint", "test", "build"].filter((target) => new RegExp(`^${target}\\s*:`, "m").test(makefile));
  return commands(Object.fromEntries(targets.map((target) => [target, `make ${target}`])));
}

function commands(lines: Readonly<Record<string, string>>): readonly StarterTask[] {
  return Object.entries(lines).map(([id, run]) => ({ id, run, isHeavy: true, dependsOn: [] }));
}

function idOf(script: string): string {
  return script.replaceAll(/[^A-Za-z0-9_-]+/g, "-");
}

function planName(name: string): string {
  const plain = name
    .toLowerCase()
    .replaceAll(/[^a-z0-9-]+/g, "-")
    .replaceAll(/^-+|-+$/g, "");
  return `${plain === "" || !/^[a-z]/.test(plain) ? "repository" : plain}-checks`;
}
