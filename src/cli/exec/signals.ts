/**
 * Signals, as if we were not there. In a terminal the whole foreground group is told by the terminal itself; without one
 * we hand on what we are told.
 */

export interface SignalTarget {
  readonly group: "caller" | "own";
  signal(signal: NodeJS.Signals): void;
}

/** What ends a wait in line. */
const ENDING = ["SIGINT", "SIGTERM", "SIGHUP", "SIGQUIT"] as const;
const PASSED = [...ENDING, "SIGUSR1", "SIGUSR2", "SIGWINCH", "SIGCONT"] as const;
/** The terminal sends these to everybody in front of it. */
const BY_TERMINAL: ReadonlySet<NodeJS.Signals> = new Set(["SIGINT", "SIGQUIT", "SIGWINCH", "SIGCONT"]);

export class Signals {
  readonly #onLeave: (signal: NodeJS.Signals) => void;
  readonly #listeners = new Map<NodeJS.Signals, () => void>();
  #target: SignalTarget | null = null;

  /** `onLeave` is told what came while nothing ran yet. */
  constructor(onLeave: (signal: NodeJS.Signals) => void) {
    this.#onLeave = onLeave;
  }

  listen(): void {
    for (const signal of PASSED) this.#on(signal, () => this.#take(signal));
    // The default would stop us at any moment, in the middle of a turn too, with the file of everybody locked. Taken by the
    // loop it comes between turns.
    this.#on("SIGTSTP", () => {
      if (this.#target?.group === "own") this.#target.signal("SIGTSTP");
      process.kill(process.pid, "SIGSTOP");
    });
  }

  /** From here on they are for the command. */
  passTo(target: SignalTarget): void {
    this.#target = target;
  }

  close(): void {
    for (const [signal, listener] of this.#listeners) process.removeListener(signal, listener);
    this.#listeners.clear();
  }

  #on(signal: NodeJS.Signals, listener: () => void): void {
    this.#listeners.set(signal, listener);
    process.on(signal, listener);
  }

  #take(signal: NodeJS.Signals): void {
    const target = this.#target;
    if (target === null) {
      if (ENDING.some((ending) => ending === signal)) this.#onLeave(signal);
    } else if (target.group === "own" || !BY_TERMINAL.has(signal)) target.signal(signal);
  }
}

/** Where any of our streams is a terminal, whoever sits at it must reach the command as without us. */
export function groupFor({ stdin, out, err }: TerminalStreams): "caller" | "own" {
  return stdin || out || err ? "caller" : "own";
}

export interface TerminalStreams {
  readonly stdin: boolean;
  readonly out: boolean;
  readonly err: boolean;
}

export function terminalStreams(): TerminalStreams {
  return { stdin: process.stdin.isTTY, out: process.stdout.isTTY, err: process.stderr.isTTY };
}
