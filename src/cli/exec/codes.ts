/** How `exec` ends: with the command's own code, or with one that no ordinary command uses. */
import os from "node:os";
import { errorCode } from "../../edges/basics.ts";
import type { Exit } from "../../edges/run.ts";

export const EXEC_EXIT = {
  /** Not admitted: time-out in line, or `--no-wait`. The place is kept. */
  notAdmitted: 75,
  /** Lockyard itself could not do it, or was called wrongly. */
  broken: 125,
  /** As a shell: found and not executable; not found. */
  notExecutable: 126,
  notFound: 127,
} as const;

/** As a shell: 128 and the number of the signal. */
export function codeOfSignal(signal: NodeJS.Signals): number {
  return 128 + (os.constants.signals[signal] ?? 0);
}

/**
 * Who is interrupted dies of it, or the shell's loop around us would go on: shells look at the signal, not at 130. Answers
 * the code for when it does not end us at once. Nothing may be left to do.
 */
export function endAs(code: number): number {
  if (code === codeOfSignal("SIGINT")) process.kill(process.pid, "SIGINT");
  return code;
}

export function codeOfExit({ code, signal }: Exit): number {
  return signal === null ? code : codeOfSignal(signal);
}

/** Of what spawning threw: its cause is the error of the system. */
export function codeOfSpawnFailure(error: unknown): number {
  const code = error instanceof Error ? errorCode(error.cause) : undefined;
  if (code === "ENOENT") return EXEC_EXIT.notFound;
  return code === "EACCES" || code === "ENOEXEC" || code === "EPERM" ? EXEC_EXIT.notExecutable : EXEC_EXIT.broken;
}
