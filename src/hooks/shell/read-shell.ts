/**
 * A command line of a shell → the commands in it, each with what is sure about it. What a word becomes only when it runs is
 * null; a text that is no shell, or too long, is null as a whole: left alone, never guessed.
 */
import { isAbsolute, resolve } from "node:path";
import {
  type AndOr,
  type Assignment,
  type Command,
  type CompoundList,
  forEachChild,
  type ParsedScript,
  type Pipeline,
  parse,
  type Redirection,
  type Statement,
  type SyntaxNode,
} from "unbash";
import { BOUNDS } from "../../edges/basics.ts";
import { programsIn, scriptWord } from "./prefixes.ts";
import { literalOf } from "./words.ts";

export interface ShellPlace {
  /** Absolute directory the text runs in; null when it is not known. */
  readonly cwd: string | null;
  readonly home: string | null;
}

export interface ShellWord {
  /** As it stands in the text. */
  readonly text: string;
  /** What it surely is. */
  readonly value: string | null;
  /** Index of its first character. */
  readonly start: number;
}

export interface ShellRedirect {
  readonly operator: Redirection["operator"];
  readonly target: string | null;
}

export interface ShellCommand {
  /** Program and arguments. Empty for the redirects of a group. */
  readonly words: readonly ShellWord[];
  /** Where in `words` a program stands: the first, then those that prefixes like `env` or `timeout 60` start. */
  readonly programs: readonly number[];
  /** Set for this command alone: `NAME=value npm test`. */
  readonly env: ReadonlyMap<string, string | null>;
  readonly cwd: string | null;
  readonly redirects: readonly ShellRedirect[];
  /** Commands of the script it is given: `bash -c "…"`. */
  readonly inner: readonly ShellCommand[];
  readonly place: CommandPlace;
}

/** Where among the others a command stands. */
export interface CommandPlace {
  /** The outermost pipe it is part of: what is in one runs at the same time. */
  readonly pipe: Pipeline | null;
  readonly isBackground: boolean;
  /** Its text is not the text's own: in `$(…)`, or in a function that may be called from anywhere. */
  readonly isAside: boolean;
  /** The `a && b || c` it is a direct part of, and which part. */
  readonly chain: { readonly node: AndOr; readonly index: number } | null;
}

export interface ShellReading {
  readonly text: string;
  readonly commands: readonly ShellCommand[];
  /** Names that functions and aliases of the text give another meaning. */
  readonly renamed: ReadonlySet<string>;
}

const OUTERMOST: CommandPlace = { pipe: null, isBackground: false, isAside: false, chain: null };

/** Null when it is not surely readable. */
export function readShell(text: string, place: ShellPlace, depth = 0): ShellReading | null {
  if (text.length > BOUNDS.shellChars || /[\0\r]/.test(text)) return null;
  const script = parse(text);
  if (isBroken(script)) return null;
  const reader = new Reader(place.home, depth);
  reader.list(script.commands, { cwd: place.cwd, place: OUTERMOST });
  return { text, commands: reader.commands, renamed: reader.renamed };
}

function isBroken({ errors = [] }: ParsedScript): boolean {
  return errors.length > 0;
}

interface At {
  readonly cwd: string | null;
  readonly place: CommandPlace;
}

/** Every method answers with the directory that holds afterwards. */
class Reader {
  readonly commands: ShellCommand[] = [];
  readonly renamed = new Set<string>();
  readonly #home: string | null;
  readonly #depth: number;

  constructor(home: string | null, depth: number) {
    this.#home = home;
    this.#depth = depth;
  }

  list(statements: readonly Statement[], at: At): string | null {
    let { cwd } = at;
    for (const { command, background } of statements) {
      if (background === true) this.#node(command, { cwd, place: { ...at.place, isBackground: true } });
      else cwd = this.#node(command, { ...at, cwd });
    }
    return cwd;
  }

  #node(node: SyntaxNode, at: At): string | null {
    switch (node.type) {
      case "Command":
        return this.#command(node, at);
      case "AndOr":
        return this.#chain(node, at);
      case "Pipeline": {
        if (node.commands.length === 1) return this.#all(node.commands, at);
        const place = { ...at.place, pipe: at.place.pipe ?? node };
        for (const part of node.commands) this.#node(part, { ...at, place });
        return at.cwd;
      }
      case "CompoundList":
        return this.list(node.commands, at);
      case "BraceGroup":
        return this.#node(node.body, this.#inside(at));
      case "Subshell":
        this.#node(node.body, this.#inside(at));
        return at.cwd;
      case "Redirected": {
        this.#record([], { at, env: new Map(), redirects: node.redirects.map(redirectOf) });
        this.#substitutions(node.redirects, at);
        return this.#node(node.command, at);
      }
      case "If": {
        const inside = this.#inside(at);
        let cwd = this.#node(node.clause, inside);
        const ends = [this.#node(node.then, { ...inside, cwd })];
        for (const { clause, then } of node.elif) {
          cwd = this.#node(clause, { ...inside, cwd });
          ends.push(this.#node(then, { ...inside, cwd }));
        }
        ends.push(node.else === undefined ? cwd : this.#node(node.else, { ...inside, cwd }));
        return same(ends);
      }
      case "For":
      case "Select":
        this.#substitutions(node.wordlist ?? [], at);
        return this.#loop([node.body], at);
      case "ArithmeticFor":
        return this.#loop([node.body], at);
      case "While":
        return this.#loop([node.clause, node.body], at);
      case "Case": {
        this.#substitutions([node.word], at);
        const ends = node.items.map(({ body }) => this.#node(body, this.#inside(at)));
        return same([at.cwd, ...ends]);
      }
      case "Function":
        this.renamed.add(node.name.value);
        this.#node(node.body, { cwd: null, place: { ...OUTERMOST, isAside: true } });
        return at.cwd;
      case "Coproc":
        this.#node(node.body, { ...at, place: { ...at.place, isBackground: true } });
        return at.cwd;
      default:
        this.#substitutions([node], at);
        return at.cwd;
    }
  }

  #all(nodes: readonly SyntaxNode[], at: At): string | null {
    return nodes.reduce<string | null>((cwd, node) => this.#node(node, { ...at, cwd }), at.cwd);
  }

  /** No longer a direct part of the chain outside. */
  #inside(at: At): At {
    return { ...at, place: { ...at.place, chain: null } };
  }

  /** A body that leaves its directory begins its second round somewhere else. */
  #loop(nodes: readonly CompoundList[], at: At): string | null {
    const inside = this.#inside(at);
    const before = this.commands.length;
    if (this.#all(nodes, inside) === at.cwd) return at.cwd;
    this.commands.length = before;
    this.#all(nodes, { ...inside, cwd: null });
    return null;
  }

  #chain(node: AndOr, at: At): string | null {
    let before = at.cwd;
    let cwd = at.cwd;
    for (const [index, part] of node.commands.entries()) {
      const place = { ...at.place, chain: { node, index } };
      if (index > 0 && node.operators[index - 1] === "||") {
        // It runs where the last one failed, and what follows runs after either of them.
        const after = this.#node(part, { cwd: before, place });
        if (!leaves(part) && after !== cwd) cwd = null;
      } else {
        before = cwd;
        cwd = this.#node(part, { cwd, place });
      }
    }
    return cwd;
  }

  #command(node: Command, at: At): string | null {
    const assignments = node.prefix.filter((part): part is Assignment => part.type === "Assignment");
    const env = new Map(assignments.map(({ name, value }) => [name, value.type === "Word" ? literalOf(value) : null]));
    const redirects = node.redirects.map(redirectOf);
    this.#substitutions([node], at);
    const words = node.name === undefined ? [] : [node.name, ...node.args].map(wordOf);
    if (words.length > 0 || redirects.length > 0) this.#record(words, { at, env, redirects });
    return this.#afterwards(words, at.cwd);
  }

  #record(
    words: readonly ShellWord[],
    { at, env, redirects }: { readonly at: At } & Pick<ShellCommand, "env" | "redirects">,
  ): void {
    const values = words.map(({ value }) => value);
    const programs = programsIn(values);
    const script = this.#depth < BOUNDS.nestedSpawn ? scriptWord(values.slice(programs.at(-1))) : null;
    const read = script === null ? null : readShell(script, { cwd: at.cwd, home: this.#home }, this.#depth + 1);
    this.commands.push({
      words,
      programs,
      env,
      redirects,
      cwd: at.cwd,
      inner: read?.commands ?? [],
      place: at.place,
    });
  }

  #afterwards(words: readonly ShellWord[], cwd: string | null): string | null {
    const [program, ...rest] = words.map(({ value }) => value);
    switch (program) {
      case "cd":
        return this.#changed(words.slice(1), cwd);
      case "alias":
        for (const word of rest) this.renamed.add(word?.split("=")[0] ?? "");
        return cwd;
      case "pushd":
      case "popd":
      case "eval":
      case "source":
      case ".":
        return null;
      default:
        return cwd;
    }
  }

  #changed(words: readonly ShellWord[], cwd: string | null): string | null {
    const [target, ...more] = words.filter(({ value }) => !/^-[LPe-]$/.test(value ?? ""));
    if (target === undefined) return this.#home;
    const path = /^~(?=\/|$)/.test(target.text) && this.#home !== null ? this.#inHome(target.text) : target.value;
    if (more.length > 0 || path === null || path === "-" || path === "") return null;
    return isAbsolute(path) ? resolve(path) : cwd === null ? null : resolve(cwd, path);
  }

  #inHome(text: string): string | null {
    return /^~[\w./-]*$/.test(text) ? `${this.#home}${text.slice(1)}` : null;
  }

  /** Commands inside of words: `$(…)`, backticks, `<(…)`. */
  #substitutions(nodes: readonly SyntaxNode[], at: At): void {
    const place = { ...OUTERMOST, isAside: true };
    const visit = (node: SyntaxNode): void => {
      const isSubstitution =
        node.type === "CommandExpansion" ||
        node.type === "ProcessSubstitution" ||
        node.type === "ArithmeticCommandExpansion";
      if (!isSubstitution) forEachChild(node, visit);
      else if (node.script !== undefined && !isBroken(node.script))
        this.list(node.script.commands, { cwd: at.cwd, place });
    };
    for (const node of nodes) visit(node);
  }
}

/** What holds after one of several ways was taken. */
function same(ends: readonly (string | null)[]): string | null {
  const [first = null] = ends;
  return ends.every((cwd) => cwd === first) ? first : null;
}

/** Whether nothing runs after it: `cd api || exit 1`. */
function leaves(node: SyntaxNode): boolean {
  return node.type === "Command" && (node.name?.value === "exit" || node.name?.value === "return");
}

function wordOf(node: Command["args"][number] | NonNullable<Command["name"]>): ShellWord {
  if (node.type === "Word") return { text: node.text, value: literalOf(node), start: node.pos };
  const value = node.value.type === "Word" ? literalOf(node.value) : null;
  const isPlain = value !== null && node.index === undefined;
  return {
    text: node.text,
    value: isPlain ? `${node.name}${node.append === true ? "+" : ""}=${value}` : null,
    start: node.pos,
  };
}

function redirectOf(node: Redirection): ShellRedirect {
  const target = node.type === "HereDoc" ? undefined : node.target;
  return { operator: node.operator, target: target === undefined ? null : literalOf(target) };
}
