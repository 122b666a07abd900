/**
 * Programs that start the program which follows on their command line, like `sudo`, `env` or `timeout 60`. Only options that
 * stand here are understood: after any other, nobody can be sure which word is the program.
 */
import { basename } from "node:path";

interface Prefix {
  /** One-letter options, those with a value of their own followed by `:`. */
  readonly short?: string;
  readonly long?: readonly string[];
  /** Long options whose value is the next word. */
  readonly valued?: readonly string[];
  /** Words between the options and the program. */
  readonly words?: number;
  /** `NAME=value` may stand before the program. */
  readonly assigns?: boolean;
  /** Words that must come first: `exec` of `pnpm exec`. */
  readonly first?: readonly string[];
}

const PREFIXES: Readonly<Record<string, readonly Prefix[]>> = {
  sudo: [{ short: "u:g:h:p:C:nEHkSbAP", long: ["preserve-env", "non-interactive", "set-home"], assigns: true }],
  doas: [{ short: "u:nL" }],
  env: [{ short: "u:iv", long: ["ignore-environment"], valued: ["unset"], assigns: true }],
  timeout: [
    { short: "s:k:v", long: ["foreground", "preserve-status", "verbose"], valued: ["signal", "kill-after"], words: 1 },
  ],
  gtimeout: [{ short: "s:k:v", long: ["foreground", "preserve-status"], words: 1 }],
  nice: [{ short: "n:", valued: ["adjustment"] }],
  ionice: [{ short: "c:n:t" }],
  time: [{ short: "f:o:apvl" }],
  nohup: [{}],
  setsid: [{ short: "fwc", long: ["fork", "wait", "ctty"] }],
  stdbuf: [{ short: "i:o:e:" }],
  unbuffer: [{ short: "p" }],
  caffeinate: [{ short: "dimsut:w:" }],
  "xvfb-run": [{ short: "as:n:", long: ["auto-servernum"] }],
  command: [{ short: "p" }],
  exec: [{ short: "cla:" }],
  builtin: [{}],
  npx: [{ short: "yqp:", long: ["yes", "no", "no-install", "quiet", "prefer-offline"], valued: ["package"] }],
  bunx: [{}],
  pnpx: [{}],
  pnpm: [{ first: ["exec"] }, { first: ["dlx"] }],
  yarn: [{ first: ["exec"] }, { first: ["dlx"] }],
  npm: [{ first: ["exec"], long: ["yes", "no"] }],
  uv: [{ first: ["run"] }],
  poetry: [{ first: ["run"] }],
  bundle: [{ first: ["exec"] }],
};

/** Where a program stands in a command line: at 0, and wherever a prefix before it starts one. Empty for no words. */
export function programsIn(words: readonly (string | null)[]): readonly number[] {
  const programs: number[] = [];
  for (let at: number | null = 0; at !== null && at < words.length; ) {
    programs.push(at);
    const next = programAfter(words.slice(at));
    at = next === null ? null : at + next;
  }
  return programs;
}

function programAfter(words: readonly (string | null)[]): number | null {
  const own = execWords(words);
  if (own !== null) return own;
  const name = words[0];
  const known = basename(name ?? "");
  for (const prefix of Object.hasOwn(PREFIXES, known) ? (PREFIXES[known] ?? []) : []) {
    const next = skip(words, prefix);
    if (next !== null) return next;
  }
  return null;
}

/** The program under `lockyard exec … --`. */
function execWords(words: readonly (string | null)[]): number | null {
  const start = lockyardWords(words);
  if (start === 0 || words[start] !== "exec") return null;
  const end = words.indexOf("--", start);
  return end > 0 && end + 1 < words.length ? end + 1 : null;
}

/** Whether `lockyard exec` stands there: what is under it takes its own turn. */
export function isExec(words: readonly (string | null)[]): boolean {
  const start = lockyardWords(words);
  return start > 0 && words[start] === "exec";
}

/** Words that name Lockyard itself: `lockyard`, or a Node and our script. */
function lockyardWords([program, script]: readonly (string | null)[]): number {
  if (program === null || program === undefined) return 0;
  if (basename(program) === "lockyard") return 1;
  return /^node(?:\.exe)?$/.test(basename(program)) && basename(script ?? "") === "lockyard.js" ? 2 : 0;
}

function skip(words: readonly (string | null)[], prefix: Prefix): number | null {
  const { short = "", long = [], valued = [], first = [], assigns = false } = prefix;
  let at = 1;
  for (const word of first) if (words[at++] !== word) return null;
  for (; at < words.length; at++) {
    const word = words[at];
    if (word === null || word === undefined) return null;
    if (word === "--") {
      at++;
      break;
    }
    if (assigns && /^[A-Za-z_]\w*=/.test(word)) continue;
    if (!word.startsWith("-") || word === "-") break;
    if (word.startsWith("--")) {
      const [name = "", value] = word.slice(2).split("=", 2);
      if (valued.includes(name)) at += value === undefined ? 1 : 0;
      else if (!long.includes(name)) return null;
    } else if (/^-\d+$/.test(word) && basename(words[0] ?? "") === "nice") continue;
    else {
      const taken = shortOptions(word.slice(1), short);
      if (taken === null) return null;
      at += taken;
    }
  }
  while (assigns && /^[A-Za-z_]\w*=/.test(words[at] ?? "")) at++;
  at += prefix.words ?? 0;
  return at < words.length ? at : null;
}

/** How many of the next words belong to these letters; null for a letter nobody knows. */
function shortOptions(letters: string, known: string): number | null {
  for (const [index, letter] of [...letters].entries()) {
    const at = known.indexOf(letter);
    if (at < 0 || letter === ":") return null;
    if (known[at + 1] === ":") return index === letters.length - 1 ? 1 : 0;
  }
  return 0;
}

const SHELLS: ReadonlySet<string> = new Set(["sh", "bash", "dash", "zsh", "ksh", "ash"]);

/** The script of `bash -c "…"`, when that is what it is. */
export function scriptWord(words: readonly (string | null)[]): string | null {
  if (!SHELLS.has(basename(words[0] ?? ""))) return null;
  for (let at = 1; at < words.length; at++) {
    const word = words[at];
    if (word === null || word === undefined || !/^-[a-z]+$/.test(word)) return null;
    if (word.endsWith("c")) return words[at + 1] ?? null;
    if (word.includes("c") || word.includes("o")) return null;
  }
  return null;
}
