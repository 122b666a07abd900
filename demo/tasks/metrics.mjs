// Measures one part of a repository, in a thread: nothing here waits, all of it is work for the processor.
import { spawnSync } from "node:child_process";
import fs from "node:fs";
import path from "node:path";

const LISTED = 5;
/** Lines of a block that is looked for twice. */
const BLOCK = 8;
const PRIME = 1_000_003;

/** @param {{ contextData: { root: string, part: { name: string, paths: string[] } } }} task */
export function run({ contextData: { root, part } }, ctx) {
  const args = ["ls-files", "-z", "--cached", "--others", "--exclude-standard", "--", ...part.paths];
  const listed = spawnSync("git", ["--literal-pathspecs", ...args], {
    cwd: root,
    encoding: "utf8",
    maxBuffer: 256 * 1024 * 1024,
  });
  const names = [...new Set((listed.stdout ?? "").split("\0"))].filter((name) => name !== "");
  const total = { files: 0, bytes: 0, lines: 0, code: 0, imports: 0, functions: 0, duplicated: 0 };
  const functions = [];
  const files = [];
  const seen = new Set();
  for (const [index, name] of names.entries()) {
    if (ctx.signal.aborted) throw ctx.signal.reason;
    const text = textOf(path.join(root, name));
    if (text === undefined) continue;
    const lines = text.replace(/\n$/, "").split("\n");
    const found = functionsIn(lines);
    total.files++;
    total.bytes += Buffer.byteLength(text);
    total.lines += lines.length;
    total.code += lines.filter((line) => /\w/.test(line) && !/^\s*(?:\/\/|#|\*|\/\*)/.test(line)).length;
    total.imports += lines.filter((line) => /^\s*(?:import\b|from\s+\S+\s+import\b|.*\brequire\()/.test(line)).length;
    total.functions += found.length;
    total.duplicated += duplicatedLines(lines, seen);
    files.push({ name, lines: lines.length });
    functions.push(...found.map((each) => ({ ...each, file: name })));
    ctx.progress((index + 1) / names.length, name);
  }
  return {
    part: part.name,
    ...total,
    longestFunctions: functions.sort((a, b) => b.lines - a.lines).slice(0, LISTED),
    longestFiles: files.sort((a, b) => b.lines - a.lines).slice(0, LISTED),
    says: `${count(total.files, "file")}, ${count(total.lines, "line")}, ${count(total.functions, "function")}`,
  };
}

function count(number, noun) {
  return `${number} ${noun}${number === 1 ? "" : "s"}`;
}

function textOf(file) {
  const stat = fs.statSync(file, { throwIfNoEntry: false });
  if (stat?.isFile() !== true || stat.size > 4 * 1024 * 1024) return undefined;
  const bytes = fs.readFileSync(file);
  return bytes.subarray(0, 8_192).includes(0) ? undefined : bytes.toString("utf8");
}

/** Functions of the languages with braces, and of Python: from their head to the line where their block ends. */
function functionsIn(lines) {
  const found = [];
  for (const [index, line] of lines.entries()) {
    const python = /^(\s*)(?:async\s+)?def\s+(\w+)/.exec(line);
    const braces =
      /^\s*(?:export\s+)?(?:async\s+)?(?:function\*?\s+(\w+)|func\s+(\w+)|(?:const|let)\s+(\w+)\s*=\s*(?:async\s*)?\([^)]*\)[^=]*=>\s*\{)/.exec(
        line,
      );
    if (python !== null)
      found.push({ name: python[2], line: index + 1, lines: indented(lines, index, python[1].length) });
    else if (braces !== null) {
      const name = braces[1] ?? braces[2] ?? braces[3] ?? "";
      found.push({ name, line: index + 1, lines: braced(lines, index) });
    }
  }
  return found;
}

function indented(lines, from, depth) {
  let end = from + 1;
  while (end < lines.length && (lines[end].trim() === "" || lines[end].search(/\S/) > depth)) end++;
  while (lines[end - 1].trim() === "") end--;
  return end - from;
}

/** To the line where its braces close. An estimate, and good enough to find what is long. */
function braced(lines, from) {
  let depth = 0;
  let hasBegun = false;
  for (let index = from; index < lines.length; index++) {
    for (const character of withoutTexts(lines[index])) {
      if (character === "{") {
        depth++;
        hasBegun = true;
      } else if (character === "}") depth--;
    }
    if (hasBegun && depth <= 0) return index - from + 1;
  }
  return lines.length - from;
}

/** A line without texts, regular expressions and its comment: what is in them is no code. */
function withoutTexts(line) {
  return line
    .replaceAll(/(["'`])(?:\\.|(?!\1).)*\1/g, "")
    .replaceAll(/(?<=[=(,:]\s*)\/(?:\\.|\[(?:\\.|[^\]])*\]|[^/\\])+\//g, "")
    .replace(/\/\/.*$/, "");
}

/** Lines that begin a block of eight met before in this part: a rolling hash over normalised lines. */
function duplicatedLines(lines, seen) {
  const hashes = lines.map((line) => hashOf(line.trim())).filter((hash) => hash !== 0);
  let count = 0;
  for (let at = 0; at + BLOCK <= hashes.length; at++) {
    let hash = 0;
    for (let offset = 0; offset < BLOCK; offset++) hash = (Math.imul(hash, PRIME) + hashes[at + offset]) | 0;
    if (seen.has(hash)) count++;
    else seen.add(hash);
  }
  return count;
}

function hashOf(text) {
  let hash = 0;
  for (let index = 0; index < text.length; index++) hash = (Math.imul(hash, 31) + text.charCodeAt(index)) | 0;
  return hash;
}
