/** Which commands of a repository are heavy, from its own files: what `init` proposes as rules. */
import { manifestOf, packageManager } from "./manifest.ts";
import type { Repository } from "./starter-files.ts";

/** Scripts that keep a machine busy; those that never end are not among them: a turn would not, either. */
const HEAVY =
  /^(?:test|tests|unit|e2e|integration|build|bundle|compile|types?|typecheck|type-check|tsc|check|check-types|ci|verify|coverage|docs:build)(?:$|[:-])/;
const ENDLESS = /watch|dev|serve|start|ui$/;

/** Tools that a package calls by itself, and the commands of them that are heavy. */
const TOOLS: Readonly<Record<string, string>> = {
  vitest: "vitest*",
  jest: "jest*",
  mocha: "mocha*",
  "@playwright/test": "playwright test*",
  cypress: "cypress run*",
  typescript: "tsc*",
  webpack: "webpack*",
  next: "next build*",
  turbo: "turbo *",
  nx: "nx *",
};

/** Files that say which tool builds here. */
const BUILDS: readonly (readonly [string, readonly string[]])[] = [
  ["Cargo.toml", ["cargo build*", "cargo check*", "cargo clippy*", "cargo test*", "cargo nextest*", "cargo bench*"]],
  ["go.mod", ["go build*", "go test*", "go vet*"]],
  ["gradlew", ["./gradlew *"]],
  ["build.gradle", ["gradle *"]],
  ["build.gradle.kts", ["gradle *"]],
  ["pom.xml", ["mvn *", "./mvnw *"]],
  ["pyproject.toml", ["pytest*", "python -m pytest*", "tox*"]],
  ["tox.ini", ["tox*"]],
  ["CMakeLists.txt", ["cmake --build*", "ctest*", "ninja*"]],
  ["WORKSPACE", ["bazel build*", "bazel test*"]],
  ["MODULE.bazel", ["bazel build*", "bazel test*"]],
  ["mix.exs", ["mix compile*", "mix test*"]],
  ["Gemfile", ["rspec*", "rake test*"]],
  ["Package.swift", ["swift build*", "swift test*"]],
];

/** Patterns of commands that should take a unit of `build`; empty when nothing is known of the repository. */
export function heavyCommands(repository: Repository): readonly string[] {
  const patterns = [...ofPackage(repository), ...ofMakefile(repository)];
  for (const [file, commands] of BUILDS) if (repository.read(file) !== undefined) patterns.push(...commands);
  return [...new Set(patterns)];
}

function ofPackage({ read }: Repository): readonly string[] {
  const { scripts, packages } = manifestOf(read("package.json"));
  const runner = packageManager(read);
  const heavy = scripts.filter((name) => HEAVY.test(name) && !ENDLESS.test(name));
  const called = heavy.flatMap((name) => {
    const isShort = name === "test" || runner === "pnpm" || runner === "yarn";
    return [...(isShort ? [`${runner} ${name}*`] : []), `${runner} run ${name}*`];
  });
  const tools = Object.entries(TOOLS).flatMap(([name, pattern]) => (packages.includes(name) ? [pattern] : []));
  return [...called, ...tools];
}

function ofMakefile({ read }: Repository): readonly string[] {
  const text = read("Makefile") ?? read("makefile") ?? "";
  const targets = [...text.matchAll(/^([A-Za-z][\w-]*)\s*:(?!=)/gm)].map(([, name = ""]) => name);
  const heavy = targets.filter((name) => (HEAVY.test(name) || name === "all") && !ENDLESS.test(name));
  return heavy.map((name) => `make ${name}*`);
}
