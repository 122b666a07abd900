/** Files that a command line plainly writes. What only the run can tell (variables, patterns, scripts) is not among them. */
import { basename, isAbsolute, join, resolve } from "node:path";
import { BOUNDS } from "../../edges/basics.ts";
import type { ShellCommand, ShellReading } from "./read-shell.ts";

export interface ShellWrite {
  /** Absolute. */
  readonly path: string;
  /** All below it, too: `rm -r`. */
  readonly isTree: boolean;
}

export interface WritePlace {
  readonly isDirectory: (path: string) => boolean;
}

export function writesOf({ commands, renamed }: ShellReading, place: WritePlace): readonly ShellWrite[] {
  const writes = new Map<string, ShellWrite>();
  const add = (command: ShellCommand): void => {
    for (const { path, isTree } of writesBy(command, { renamed, place })) {
      if (writes.size >= BOUNDS.claimsPerTask) return;
      writes.set(path, { path, isTree: isTree || writes.get(path)?.isTree === true });
    }
    for (const inner of command.inner) add(inner);
  };
  for (const command of commands) add(command);
  return [...writes.values()];
}

interface Call {
  readonly args: readonly (string | null)[];
  /** Everything that is no option. */
  readonly operands: readonly (string | null)[];
  readonly options: readonly string[];
}

function writesBy(
  command: ShellCommand,
  { renamed, place }: { readonly renamed: ReadonlySet<string>; readonly place: WritePlace },
): readonly ShellWrite[] {
  const { words, programs, redirects, cwd } = command;
  const at = (path: string | null): string | null => {
    if (path === null || path === "") return null;
    if (isAbsolute(path)) return resolve(path);
    return cwd === null ? null : resolve(cwd, path);
  };
  const into = redirects
    .filter(({ operator, target }) => WRITING.has(operator) && !(operator === ">&" && /^(?:\d+|-)$/.test(target ?? "")))
    .map(({ target }) => ({ path: at(target), isTree: false }));
  const values = words.slice(programs.at(-1) ?? 0).map(({ value }) => value);
  const [program, ...args] = values;
  const name = basename(program ?? "");
  const writer = renamed.has(name) || !Object.hasOwn(WRITERS, name) ? undefined : WRITERS[name];
  const written = writer?.(callOf(args), { at, isDirectory: place.isDirectory }) ?? [];
  return [...into, ...written].flatMap(({ path, isTree }) => {
    return path === null || /^\/(?:dev|proc|sys)(?:\/|$)/.test(path) ? [] : [{ path, isTree }];
  });
}

const WRITING: ReadonlySet<string> = new Set([">", ">>", ">|", "<>", ">&", "&>", "&>>"]);

function callOf(args: readonly (string | null)[]): Call {
  const end = args.indexOf("--");
  const before = end < 0 ? args : args.slice(0, end);
  const isOption = (word: string | null): word is string => word !== null && /^-./.test(word);
  return {
    args,
    options: before.filter(isOption),
    operands: [...before.filter((word) => !isOption(word)), ...(end < 0 ? [] : args.slice(end + 1))],
  };
}

interface Around extends WritePlace {
  readonly at: (path: string | null) => string | null;
}

interface Written {
  readonly path: string | null;
  readonly isTree: boolean;
}

type Writer = (call: Call, around: Around) => readonly Written[];

const file =
  ({ at }: Around) =>
  (path: string | null): Written => ({ path: at(path), isTree: false });

const tree =
  ({ at }: Around) =>
  (path: string | null): Written => ({ path: at(path), isTree: true });

const operands: Writer = (call, around) => call.operands.map(file(around));

const has = ({ options }: Call, letters: RegExp, long: RegExp) =>
  options.some((option) => (option.startsWith("--") ? long.test(option) : letters.test(option)));

/** Where several files go into a directory, or one takes the place of another. */
function target({ operands: names, options }: Call, { at, isDirectory }: Around): readonly string[] {
  // -t names the directory first, and options with values of their own make operands of no files.
  if (names.length < 2 || options.some((option) => /^-[^-]*[tS]|^--(?:target-directory|suffix|backup)/.test(option)))
    return [];
  const last = names.at(-1) ?? null;
  const into = at(last);
  if (last === null || into === null) return [];
  const sources = names.slice(0, -1);
  const isInto = sources.length > 1 || last.endsWith("/") || isDirectory(into);
  return isInto ? sources.flatMap((name) => (name === null ? [] : [join(into, basename(name))])) : [into];
}

const WRITERS: Readonly<Record<string, Writer>> = {
  tee: operands,
  touch: operands,
  truncate: (call, around) => withoutValues(call, /^-[a-z]*[sr]$/).map(file(around)),
  rm: (call, around) => call.operands.map((has(call, /^-.*[rR]/, /^--recursive$/) ? tree : file)(around)),
  mv: (call, around) => [
    ...target(call, around).map((path) => ({ path, isTree: true })),
    ...(call.operands.length > 1 ? call.operands.slice(0, -1).map(tree(around)) : []),
  ],
  cp: (call, around) => {
    const isTree = has(call, /^-.*[rRa]/, /^--(?:recursive|archive)$/);
    return target(call, around).map((path) => ({ path, isTree }));
  },
  sed: inPlace(/^-[nErsuz]*i/, /^--in-place/),
  gsed: inPlace(/^-[nErsuz]*i/, /^--in-place/),
  perl: inPlace(/^-[\w.]*i/, /^$/),
  dd: ({ args }, around) =>
    args.flatMap((word) => (word?.startsWith("of=") === true ? [file(around)(word.slice(3))] : [])),
};

/** `sed -i … FILES`: the first operand is the script, unless `-e` or `-f` gives one. */
function inPlace(letters: RegExp, long: RegExp): Writer {
  return (call, around) => {
    if (!has(call, letters, long)) return [];
    const scripts = call.options.some((option) => /^-[a-zA-Z]*[ef]$|^--(?:expression|file)(?:=|$)/.test(option));
    const names = withoutValues(call, /^-[a-zA-Z]*[ef]$|^--(?:expression|file)$/);
    const files = scripts ? names : names.slice(1);
    // As BSD wants it: `sed -i '' SCRIPT FILES`.
    return (names[0] === "" ? files.slice(1) : files).map(file(around));
  };
}

/** The operands, without the words that belong to an option. */
function withoutValues({ args }: Call, valued: RegExp): readonly (string | null)[] {
  const names: (string | null)[] = [];
  for (let at = 0; at < args.length; at++) {
    const word = args[at] ?? null;
    if (word === "--") return [...names, ...args.slice(at + 1)];
    if (word !== null && valued.test(word)) at++;
    else if (word === null || !/^-./.test(word)) names.push(word);
  }
  return names;
}
