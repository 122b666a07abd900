/** A command line → argv, as a POSIX shell would split it, without expansion: what needs a shell is refused. */

export interface CommandFault {
  /** Index of the character that is the trouble. */
  readonly index: number;
  readonly what: string;
  readonly hint: string;
}

/** Words that only a shell knows; a program of that name would not do what is meant. */
const SHELL_WORDS = new Set(
  "alias bg break case cd command continue do done elif else esac eval exec exit export fg fi for function hash if in jobs local read readonly return select set shift source then time trap type ulimit umask unalias unset until wait while . : ! { }".split(
    " ",
  ),
);

const SHELL_SIGNS: Readonly<Record<string, string>> = {
  "|": "a pipe",
  "&": "&",
  ";": "a semicolon",
  "<": "a redirect",
  ">": "a redirect",
  "(": "a subshell",
  ")": "a subshell",
  "`": "a backtick",
  "*": "a pattern (*)",
  "?": "a pattern (?)",
  "[": "a pattern ([)",
  "\n": "a second line",
};

/**
 * Splits a command line into its arguments. Quotes and backslashes work as in `sh`; `{{…}}` is kept whole, spaces inside
 * included. Anything a shell would have to do (pipes, redirects, `$NAME`, patterns, `&&`) is a fault whose hint names
 * `shell: true`.
 */
export function splitCommand(text: string): { readonly argv: readonly string[] } | { readonly fault: CommandFault } {
  const scanner = new Scanner(text.trimEnd());
  const argv = scanner.split();
  if (scanner.fault !== undefined) return { fault: scanner.fault };
  if (argv.length === 0 || argv[0] === "") {
    return { fault: { index: 0, what: "the command is empty", hint: "name a program" } };
  }
  return { argv };
}

class Scanner {
  fault: CommandFault | undefined;
  readonly #text: string;
  #at = 0;
  #word: string | undefined;
  #wordStart = 0;
  /** Whether a part of the word was quoted: then it is no sign of the shell. */
  #wasQuoted = false;
  readonly #argv: string[] = [];

  constructor(text: string) {
    this.#text = text;
  }

  split(): readonly string[] {
    while (this.fault === undefined && this.#at < this.#text.length) this.#step(this.#text[this.#at] ?? "");
    if (this.fault === undefined) this.#endWord();
    return this.#argv;
  }

  #step(character: string): void {
    const template = this.#text.startsWith("{{", this.#at) ? this.#text.indexOf("}}", this.#at) : -1;
    if (template > 0) this.#take(this.#text.slice(this.#at, template + 2), template + 2 - this.#at);
    else if (character === " " || character === "\t" || character === "\r") this.#space();
    else if (character === "'") this.#single();
    else if (character === '"') this.#double();
    else if (character === "\\") this.#escape();
    else if (character === "$" && /^\$[\w{(@*#?$!'"-]/.test(this.#text.slice(this.#at, this.#at + 2))) this.#variable();
    else if (SHELL_SIGNS[character] !== undefined) this.#refuse(`${SHELL_SIGNS[character]} needs a shell`);
    else if (character === "#" && this.#word === undefined) this.#refuse("a comment inside the command");
    else if (character === "~" && this.#word === undefined) this.#refuse("~ needs a shell");
    else if (character === "{" && /^\{[^{}\s]*(?:,|\.\.)[^{}\s]*\}/.test(this.#text.slice(this.#at, this.#at + 256))) {
      this.#refuse("{a,b} needs a shell");
    } else this.#take(character, 1);
  }

  #take(text: string, length: number): void {
    if (this.#word === undefined) this.#wordStart = this.#at;
    this.#word = (this.#word ?? "") + text;
    this.#at += length;
  }

  #space(): void {
    this.#endWord();
    this.#at += 1;
  }

  #endWord(): void {
    if (this.#word === undefined) return;
    if (this.#argv.length === 0 && !this.#wasQuoted) this.#firstWord(this.#word);
    this.#argv.push(this.#word);
    this.#word = undefined;
    this.#wasQuoted = false;
  }

  #firstWord(word: string): void {
    const assignment = /^([A-Za-z_]\w*)=/.exec(word);
    if (assignment !== null) {
      this.fault = {
        index: this.#wordStart,
        what: `${assignment[1]}= before a command needs a shell`,
        hint: `write env: { ${assignment[1]}: … }, or set shell: true`,
      };
    } else if (SHELL_WORDS.has(word)) {
      const hint = word === "cd" ? "write cwd: DIRECTORY, or set shell: true" : "set shell: true";
      this.fault = { index: this.#wordStart, what: `${word} is a word of the shell, not a program`, hint };
    }
  }

  #single(): void {
    const end = this.#text.indexOf("'", this.#at + 1);
    if (end < 0) this.#refuse("a quote is never closed", "close it, or put a backslash before it");
    else {
      this.#take(this.#text.slice(this.#at + 1, end), end + 1 - this.#at);
      this.#wasQuoted = true;
    }
  }

  #double(): void {
    const open = this.#at;
    this.#take("", 1);
    this.#wasQuoted = true;
    while (this.fault === undefined && this.#text[this.#at] !== '"') {
      const character = this.#text[this.#at];
      const next = this.#text[this.#at + 1] ?? "";
      if (character === undefined) {
        this.#at = open;
        this.#refuse("a quote is never closed", "close it, or put a backslash before it");
      } else if (character === "\\" && next === "\n") this.#at += 2;
      else if (character === "\\" && '$`"\\'.includes(next) && next !== "") this.#take(next, 2);
      else if (character === "$" && /[\w{(@*#?$!-]/.test(next)) this.#variable();
      else if (character === "`") this.#refuse("a backtick needs a shell");
      else this.#take(character, 1);
    }
    this.#at += 1;
  }

  #escape(): void {
    if (this.#text.startsWith("\\{{", this.#at)) this.#take("\\{{", 3);
    else if (this.#text[this.#at + 1] === "\n") this.#at += 2;
    else if (this.#at + 1 >= this.#text.length)
      this.#refuse("the command ends with a backslash", "remove it, or write \\\\");
    else this.#take(this.#text[this.#at + 1] ?? "", 2);
  }

  #variable(): void {
    const name = /^\$\{?(\w+)/.exec(this.#text.slice(this.#at, this.#at + 80))?.[1];
    this.#refuse(
      name === undefined ? "$ needs a shell" : `$${name} needs a shell`,
      "set shell: true, or put it into single quotes if it is meant as it stands",
    );
  }

  #refuse(what: string, hint = "set shell: true, or put it into quotes if it is meant as it stands"): void {
    this.fault ??= { index: this.#at, what, hint };
  }
}
