import { expect, test } from "vitest";
import { loadConfig } from "../../config/load-config.ts";
import { readShell } from "../../hooks/shell/read-shell.ts";
import { wrapOf } from "../../hooks/shell/wrap.ts";
import { heavyCommands } from "./command-rules.ts";
import { starterFiles } from "./starter-files.ts";

const repositoryOf = (files: Readonly<Record<string, string>>) => ({
  read: (file: string) => files[file],
  name: "shop",
  cores: 8,
});

/** Whether a command waits in line, by the configuration that `init` writes. */
function waits(files: Readonly<Record<string, string>>, command: string): boolean {
  const [config] = starterFiles(repositoryOf(files));
  const readFile = (path: string) =>
    path === "/shop/lockyard.yaml" ? config?.text : path === "/shop/.git/HEAD" ? "x" : undefined;
  const { rules, root } = loadConfig({ cwd: "/shop", home: "/home/ada", env: {}, cores: 8, readFile });
  const reading = readShell(command, { cwd: "/shop", home: null });
  return reading !== null && wrapOf(reading, { rules, root }) !== null;
}

const NPM = {
  "package.json": JSON.stringify({
    scripts: {
      dev: "vite",
      test: "vitest run",
      "test:watch": "vitest",
      build: "tsc",
      "build:docs": "x",
      lint: "eslint",
      testimony: "x",
    },
    devDependencies: { vitest: "1", typescript: "6" },
  }),
};

test.each<[string, Readonly<Record<string, string>>, readonly string[], readonly string[]]>([
  [
    "npm",
    NPM,
    [
      "npm test",
      "npm test -- a",
      "npm run test",
      "npm run build",
      "npm run build:docs",
      "npx vitest run",
      "npx tsc --noEmit",
    ],
    ["npm run dev", "npm run lint", "npm install", "node test.js"],
  ],
  [
    "pnpm",
    { ...NPM, "pnpm-lock.yaml": "" },
    ["pnpm test", "pnpm build", "pnpm run build"],
    ["npm test", "pnpm dev", "pnpm install"],
  ],
  ["Cargo", { "Cargo.toml": "" }, ["cargo build --release", "cargo test", "cargo check"], ["cargo fmt", "cargo add x"]],
  ["Go", { "go.mod": "" }, ["go test ./...", "go build"], ["go fmt ./..."]],
  ["Gradle", { gradlew: "" }, ["./gradlew assemble", "timeout 600 ./gradlew test"], ["cat gradlew"]],
  ["Maven", { "pom.xml": "" }, ["mvn -q package", "./mvnw test"], []],
  ["make", { Makefile: "CC := cc\nall: x\ntest:\n\tctest\nclean:\n" }, ["make test", "make all"], ["make clean"]],
  ["Python", { "pyproject.toml": "" }, ["pytest -x", "uv run pytest", "python -m pytest"], ["python app.py"]],
])("heavy commands of a repository with %s wait in line, and no others", (_, files, heavy, light) => {
  expect(heavy.filter((command) => !waits(files, command))).toEqual([]);
  expect(light.filter((command) => waits(files, command))).toEqual([]);
});

test("nothing is proposed where nothing is known", () => {
  expect(heavyCommands(repositoryOf({}))).toEqual([]);
  expect(heavyCommands(repositoryOf({ "package.json": "{ not json" }))).toEqual([]);
  expect(heavyCommands(repositoryOf({ "package.json": "null" }))).toEqual([]);
  expect(waits({}, "npm test")).toBe(false);
});

test("names that mean something to YAML are quoted", () => {
  const files = { "package.json": JSON.stringify({ scripts: { 'test:"x" #y': "1", "test:{a}, b": "1" } }) };
  expect(waits(files, `npm run 'test:"x" #y'`)).toBe(true);
  expect(waits(files, "npm run 'test:{a}, b'")).toBe(true);
});
