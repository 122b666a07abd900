/** Ctrl-C: the first lets running tasks finish, the second stops them, the third leaves at once. */

export interface InterruptSteps {
  /** Start no more, let what runs finish. */
  drain(): void;
  /** Stop what runs. */
  stop(): void;
  /** Last words before the process ends: the terminal must be usable. */
  leave(): void;
}

export interface Interrupts {
  readonly count: number;
  dispose(): void;
}

/** A closed terminal or a supervisor does not ask twice: those signals stop at once. */
const STOPPING = ["SIGTERM", "SIGHUP"] as const;

/** Listens until disposed. */
export function listenForInterrupts(steps: InterruptSteps): Interrupts {
  let count = 0;
  const step = () => {
    if (count === 1) steps.drain();
    else if (count === 2) steps.stop();
    else {
      steps.leave();
      process.exit(130);
    }
  };
  const onInterrupt = () => {
    count++;
    step();
  };
  const onStop = () => {
    count = Math.max(2, count + 1);
    step();
  };
  process.on("SIGINT", onInterrupt);
  for (const signal of STOPPING) process.on(signal, onStop);
  return {
    get count() {
      return count;
    },
    dispose: () => {
      process.removeListener("SIGINT", onInterrupt);
      for (const signal of STOPPING) process.removeListener(signal, onStop);
    },
  };
}
