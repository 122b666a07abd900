/**
 * Heavy commands that take their turn: what the rules of the configuration say of a command line, and the same line with
 * `lockyard exec` put before the command. The rest of the line stays as it was written: quotes, variables, pipes.
 */
import { basename, resolve } from "node:path";
import type { CommandRule } from "../../config/config.ts";
import type { Claim } from "../../index.ts";
import { isExec } from "./prefixes.ts";
import type { ShellCommand, ShellReading } from "./read-shell.ts";
import { quoteWord, quoteWords } from "./words.ts";

export interface WrapPlace {
  readonly rules: readonly CommandRule[];
  /** Absolute directory the paths of the rules are relative to. */
  readonly root: string;
}

export interface Wrap {
  /** What to wait for; paths are absolute. */
  readonly claims: readonly Claim[];
  /** What waits, for people: `npm test`. */
  readonly label: string;
  /**
   * The line to run instead. `lockyard`: the words that start us, up to `exec`. The ticket is for `claims`; where several
   * commands take turns, for the first of them.
   */
  readonly rewrite: (lockyard: readonly string[], ticket: string | null) => string;
}

interface Heavy {
  readonly command: ShellCommand;
  readonly claims: readonly Claim[];
}

/** Null: nothing here takes a turn, it does already, or nobody can be sure how it should. */
export function wrapOf(reading: ShellReading, place: WrapPlace): Wrap | null {
  const heavy = reading.commands.flatMap((command) => {
    const claims = claimsOf(command, { reading, place });
    return claims.length === 0 ? [] : [{ command, claims }];
  });
  const [first, ...more] = heavy;
  if (first === undefined) return null;
  if (more.length > 0) {
    const span = spanOf(heavy, reading);
    if (span !== null) return asOne(span, { heavy, text: reading.text });
    // Two that run together and wait for each other's place would wait for ever.
    if (areTogether(heavy)) return null;
  }
  const { text } = reading;
  return {
    claims: first.claims,
    label: labelOf(first.command),
    rewrite: (lockyard, ticket) =>
      heavy.toReversed().reduce((line, { command, claims }) => {
        const at = startOf(command);
        const own = command === first.command ? ticket : null;
        return `${line.slice(0, at)}${execText(lockyard, { claims, ticket: own })} ${line.slice(at)}`;
      }, text),
  };
}

function areTogether(heavy: readonly Heavy[]): boolean {
  const pipes = heavy.flatMap(({ command: { place } }) => (place.pipe === null ? [] : [place.pipe]));
  return heavy.some(({ command }) => command.place.isBackground) || new Set(pipes).size < pipes.length;
}

function claimsOf(
  command: ShellCommand,
  { reading, place }: { readonly reading: ShellReading; readonly place: WrapPlace },
): readonly Claim[] {
  const { words, programs, env, inner } = command;
  const values = words.map(({ value }) => value);
  const isOn = env.get("LOCKYARD") !== "off" && !values.includes("LOCKYARD=off");
  if (command.place.isAside || !isOn || programs.some((at) => isExec(values.slice(at)))) return [];
  const program = values[programs.at(-1) ?? 0];
  if (program === null || program === undefined || programs.some((at) => reading.renamed.has(values[at] ?? "")))
    return [];
  const texts = programs.flatMap((at) => textsOf(words.slice(at).map(({ text, value }) => value ?? text)));
  const rule = place.rules.find(({ match }) => match.some((pattern) => texts.some((text) => matches(pattern, text))));
  const own = (rule?.claims ?? []).map((claim) => placed(claim, place.root));
  return union([own, ...inner.map((each) => claimsOf(each, { reading, place }))]);
}

/** As typed, and with the program's name alone: `cargo test` for `/usr/bin/cargo test`. */
function textsOf([program = "", ...rest]: readonly string[]): readonly string[] {
  return [...new Set([program, basename(program)])].map((name) => [name, ...rest].join(" "));
}

/** `*` stands for any characters, none included. In one pass, whatever the pattern. */
export function matches(pattern: string, text: string): boolean {
  let [p, t] = [0, 0];
  let star = -1;
  let taken = 0;
  while (t < text.length) {
    if (pattern[p] === "*") {
      star = p++;
      taken = t;
    } else if (pattern[p] === text[t]) {
      p++;
      t++;
    } else if (star >= 0) {
      p = star + 1;
      t = ++taken;
    } else return false;
  }
  while (pattern[p] === "*") p++;
  return p === pattern.length;
}

function placed(claim: Claim, root: string): Claim {
  if ("write" in claim) return { write: resolve(root, claim.write) };
  if ("read" in claim) return { read: resolve(root, claim.read) };
  return "observe" in claim ? { observe: resolve(root, claim.observe) } : claim;
}

/** Each claim once, with the most units any of them asks for. */
function union(lists: readonly (readonly Claim[])[]): readonly Claim[] {
  const byName = new Map<string, Claim>();
  for (const claim of lists.flat()) {
    const { units = 1, ...rest } = "use" in claim ? claim : { ...claim, units: undefined };
    const key = JSON.stringify(rest);
    const before = byName.get(key);
    const most = Math.max(units, before !== undefined && "use" in before ? (before.units ?? 1) : 1);
    byName.set(key, "use" in claim && most > 1 ? { use: claim.use, units: most } : claim);
  }
  return [...byName.values()];
}

/** Prefixes of the shell itself, or that must stay outside to do what they are for. */
const OUTSIDE: ReadonlySet<string> = new Set(["command", "exec", "builtin", "nohup", "setsid"]);

function startOf({ words, programs }: ShellCommand): number {
  const own = programs.find((at) => !OUTSIDE.has(basename(words[at]?.value ?? "")));
  return words[own ?? 0]?.start ?? 0;
}

interface Span {
  readonly start: number;
  readonly end: number;
}

/**
 * From the first heavy command to the last, when a shell of its own would surely do the same with that part: joined by
 * `&&` only, and nothing in it that another shell would read differently or that outlives the part.
 */
function spanOf(heavy: readonly Heavy[], { commands }: ShellReading): Span | null {
  const places = heavy.map(({ command }) => command.place.chain);
  const [first, last] = [places[0], places.at(-1)];
  if (first === null || first === undefined || last === null || last === undefined) return null;
  const { node } = first;
  if (places.some((place) => place?.node !== node) || first.index === last.index) return null;
  const parts = node.commands.slice(first.index, last.index + 1);
  if (node.operators.slice(0, last.index).some((operator) => operator !== "&&")) return null;
  if (parts.some(({ type }) => type !== "Command" && type !== "Pipeline")) return null;
  const inside = commands.filter(({ place: { chain } }) => {
    return chain?.node === node && chain.index >= first.index && chain.index <= last.index;
  });
  const isAlone = parts.every(({ type }, index) => {
    const those = heavy.filter(({ command }) => command.place.chain?.index === first.index + index);
    return type === "Command" || those.length <= 1;
  });
  if (!isAlone || !inside.every(isPlain)) return null;
  return { start: parts[0]?.pos ?? 0, end: parts.at(-1)?.end ?? 0 };
}

/** Commands that change the shell they run in. */
const OF_THE_SHELL: ReadonlySet<string> = new Set(
  ". alias bg bind cd declare dirs disown eval exec exit export fg hash local popd pushd read readonly return set shift shopt source trap typeset ulimit umask unalias unset wait".split(
    " ",
  ),
);

const EVERY_SHELL: ReadonlySet<string> = new Set([">", ">>", "<", ">|"]);

function isPlain({ words, redirects }: ShellCommand): boolean {
  const isReadable = words.length > 0 && words.every(({ value, text }) => value !== null && !text.includes("$'"));
  const isOwn = OF_THE_SHELL.has(words[0]?.value ?? "");
  const arePlain = redirects.every(({ operator, target }) => {
    return target !== null && (EVERY_SHELL.has(operator) || (operator === ">&" && /^\d$/.test(target)));
  });
  return isReadable && !isOwn && arePlain;
}

function asOne(
  { start, end }: Span,
  { heavy, text }: { readonly heavy: readonly Heavy[]; readonly text: string },
): Wrap {
  const claims = union(heavy.map((each) => each.claims));
  const part = text.slice(start, end);
  return {
    claims,
    label: part,
    rewrite: (lockyard, ticket) =>
      `${text.slice(0, start)}${execText(lockyard, { claims, ticket })} sh -c ${quoteWord(part)}${text.slice(end)}`,
  };
}

function labelOf({ words }: ShellCommand): string {
  return words.map(({ text }) => text).join(" ");
}

function execText(
  lockyard: readonly string[],
  { claims, ticket }: { readonly claims: readonly Claim[]; readonly ticket: string | null },
): string {
  const asked = claims.flatMap(claimWords);
  return quoteWords([...lockyard, "exec", ...asked, ...(ticket === null ? [] : ["--ticket", ticket]), "--"]);
}

function claimWords(claim: Claim): readonly string[] {
  if ("use" in claim) return ["--use", claim.units === undefined ? claim.use : `${claim.use}:${claim.units}`];
  if ("write" in claim) return ["--write", claim.write];
  if ("read" in claim) return ["--read", claim.read];
  if ("observe" in claim) return ["--observe", claim.observe];
  return [claim.mode === "shared" ? "--shared" : "--lock", claim.lock];
}
