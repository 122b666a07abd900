// The papers say what is true: links lead somewhere, code is that of the examples, plans are plans, commands exist, every
// error code has its paragraph.
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { dirname, join, relative } from "node:path";
import { fileURLToPath } from "node:url";
import type { Command } from "commander";
import { describe, expect, test } from "vitest";
import { programFor } from "../src/cli/program.ts";
import { Output } from "../src/cli/terminal/output.ts";
import { errorCode } from "../src/core/errors.ts";
import { isErrorCode } from "../src/core/task-error.ts";
import { parsePlan } from "../src/plan/parse-plan.ts";

const ROOT = fileURLToPath(new URL("..", import.meta.url));
const read = (name: string): string => readFileSync(join(ROOT, name), "utf8");
const papers = [...markdownIn("."), ...markdownIn("docs")];

interface Block {
  readonly paper: string;
  readonly language: string;
  readonly text: string;
  /** The example it is said to come from. */
  readonly from: string | undefined;
}

function markdownIn(folder: string): readonly string[] {
  const names = readdirSync(join(ROOT, folder), { recursive: folder !== ".", encoding: "utf8" });
  return names.filter((name) => name.endsWith(".md")).map((name) => (folder === "." ? name : `${folder}/${name}`));
}

function blocksOf(paper: string): readonly Block[] {
  const pattern = /(?:<!-- from (?<from>\S+) -->\n)?^```(?<language>\w*)[^\n]*\n(?<text>[\s\S]*?)^```$/gm;
  return [...read(paper).matchAll(pattern)].map(({ groups }) => ({
    paper,
    language: groups?.language ?? "",
    text: groups?.text ?? "",
    from: groups?.from,
  }));
}

const blocks = papers.flatMap(blocksOf);

describe("error codes", () => {
  const paragraphs = new Map(
    read("docs/errors.md")
      .split(/^### /m)
      .slice(1)
      .map((part) => [
        part.split("\n", 1)[0] ?? "",
        part
          .slice(part.indexOf("\n"))
          .replace(/^## [\s\S]*$/m, "")
          .trim(),
      ]),
  );
  const union = /export type ErrorCode =([\s\S]*?);/.exec(read("src/core/errors.ts"))?.[1] ?? "";
  const codes = [...union.matchAll(/"([A-Z_]+)"/g)].map(([, code = ""]) => code);

  test("the list is that of the source", () => {
    expect(codes.length).toBeGreaterThan(40);
    expect(codes.filter((code) => !isErrorCode(code))).toEqual([]);
  });
  test("every code has a paragraph that says something", () => {
    expect(codes.filter((code) => (paragraphs.get(code)?.length ?? 0) < 60)).toEqual([]);
  });
  test("no paragraph is about a code that does not exist", () => {
    expect([...paragraphs.keys()].filter((code) => !isErrorCode(code))).toEqual([]);
  });
});

describe("links", () => {
  test.each(papers)("of %s lead to files and headings that exist", (paper) => {
    const targets = [...withoutCode(read(paper)).matchAll(/\]\((?!https?:)([^)\s]+)\)/g)].map(
      ([, target = ""]) => target,
    );
    const broken = targets.filter((target) => {
      const [path = "", anchor] = target.split("#");
      const file = path === "" ? paper : relative(ROOT, join(ROOT, dirname(paper), path));
      if (!existsSync(join(ROOT, file))) return true;
      return anchor !== undefined && !anchorsOf(read(file)).includes(anchor);
    });
    expect(broken).toEqual([]);
  });

  test("a test that is named as a proof is in the file it is linked to", () => {
    const proofs = [...read("README.md").matchAll(/\[`([^`]+)`\]\(([^)]+\.ts)\)/g)];
    expect(proofs.length).toBeGreaterThan(8);
    const lost = proofs.filter(([, name = "", file = ""]) => !read(file).includes(`"${name}"`));
    expect(lost.map(([, name, file]) => `${file} has no test "${name}"`)).toEqual([]);
  });
});

function withoutCode(markdown: string): string {
  return markdown.replaceAll(/^```[\s\S]*?^```$/gm, "");
}

/** Anchors as GitHub makes them. */
function anchorsOf(markdown: string): readonly string[] {
  const headings = [...withoutCode(markdown).matchAll(/^#+ (.*)$/gm)].map(([, heading = ""]) => heading);
  return headings.map((heading) =>
    heading
      .toLowerCase()
      .replaceAll(/[^\p{L}\p{N} _-]/gu, "")
      .replaceAll(" ", "-"),
  );
}

describe("code", () => {
  const typescript = blocks.filter(({ language }) => language === "ts");

  test("that is TypeScript comes from an example", () => {
    expect(typescript.length).toBeGreaterThan(10);
    expect(typescript.filter(({ from }) => from === undefined).map(({ paper, text }) => `${paper}: ${text}`)).toEqual(
      [],
    );
  });
  test("is a part of the example it comes from, to the letter", () => {
    const other = typescript.filter(({ from, text }) => from !== undefined && !read(from).includes(text));
    expect(other.map(({ paper, from }) => `${paper} differs from ${from}`)).toEqual([]);
  });
  test("every example is shown or named in a paper", () => {
    const text = papers.map(read).join("\n");
    const examples = readdirSync(join(ROOT, "examples"), { recursive: true, encoding: "utf8" });
    const programs = examples.filter((name) => name.endsWith(".ts") && read(`examples/${name}`).includes("// Prints:"));
    expect(programs.filter((name) => !text.includes(`examples/${name}`))).toEqual([]);
  });
  test("that is a plan is a plan without a fault", () => {
    const plans = blocks.filter(({ language, text }) => language === "yaml" && /^tasks:/m.test(text));
    expect(plans.length).toBeGreaterThan(2);
    const faults = plans.flatMap(({ paper, text }) => faultsOf(text, paper));
    expect(faults).toEqual([]);
  });
});

function faultsOf(text: string, file: string): readonly unknown[] {
  try {
    parsePlan(text, { file, root: "/repository", agents: {}, workspace: "w" });
    return [];
  } catch (error) {
    return [errorCode(error), error];
  }
}

describe("commands", () => {
  const out = new Output(process.stdout, process.env);
  const program = programFor({ out, err: out, env: {}, cwd: ROOT }, () => undefined);
  const commands = new Map(program.commands.map((command) => [command.name(), command]));
  const scripts = Object.keys((JSON.parse(read("package.json")) as { readonly scripts: object }).scripts);
  const tasks = [...read("scripts/dev.mjs").matchAll(/^ {2}(\w+): \{/gm)].map(([, name]) => name);

  // What is planned is said in a section of that name, and nowhere else.
  const spoken = papers.map((paper) => ({
    paper,
    code: codeIn(read(paper).replace(/^## Next\n[\s\S]*?(?=^## |$(?![\s\S]))/m, "")),
  }));

  test("of lockyard exist, and so do their options", () => {
    const wrong = spoken.flatMap(({ paper, code }) =>
      code.flatMap((line) => {
        const [, name = "", rest = ""] = /(?:^|\s|\/)lockyard(?:\.js)? ([a-z]\w*)([^#]*)/.exec(line) ?? [];
        if (name === "") return [];
        const command = commands.get(name);
        if (command === undefined) return [`${paper}: lockyard ${name}`];
        return unknownOptions(command, rest).map((option) => `${paper}: lockyard ${name} ${option}`);
      }),
    );
    expect(wrong).toEqual([]);
  });
  test("of npm and of scripts/dev.mjs exist", () => {
    const wrong = spoken.flatMap(({ paper, code }) =>
      code.flatMap((line) => {
        const script = /\bnpm run (?!test\b)([\w:-]+)/.exec(line)?.[1];
        const task = /scripts\/dev\.mjs (\w+)/.exec(line)?.[1];
        // `run: npm run lint` is a line of somebody's plan.
        const isOfPlan = /^\s*(?:- )?run:/.test(line);
        const isUnknown = script !== undefined && !isOfPlan && !scripts.includes(script);
        return isUnknown || (task !== undefined && !tasks.includes(task)) ? [`${paper}: ${line.trim()}`] : [];
      }),
    );
    expect(wrong).toEqual([]);
  });
  test("are all in the README", () => {
    const table = read("README.md");
    expect(
      [...commands.keys()].filter((name) => name !== "complete" && !table.includes(`| \`lockyard ${name}`)),
    ).toEqual([]);
  });
});

/** Lines of code blocks, and what stands in backticks. */
function codeIn(markdown: string): readonly string[] {
  const fenced = [...markdown.matchAll(/^```(?:sh|yaml)?\n([\s\S]*?)^```$/gm)].flatMap(([, text = ""]) =>
    text.split("\n"),
  );
  const inline = [...withoutCode(markdown).matchAll(/`([^`\n]+)`/g)].map(([, text = ""]) => text);
  return [...fenced, ...inline];
}

function unknownOptions(command: Command, text: string): readonly string[] {
  const known = command.options.flatMap(({ short, long }) => [short, long]);
  return (text.match(/(?<=\s)--?[a-z][\w-]*/g) ?? []).filter(
    (option) => option !== "--help" && !known.includes(option),
  );
}

test("what a coding agent reads first is short", () => {
  expect(read("AGENTS.md").split("\n").length).toBeLessThan(60);
});
