/** What tests with real processes have in common: names for them, a look at who lives, no patience for luck. */
import { execFileSync } from "node:child_process";
import fs from "node:fs";

/** A number of seconds that only processes of one test sleep for. */
export function nameFor(index: number): string {
  return `${3_000_000 + process.pid}${String(index).padStart(3, "0")}`;
}

/** Pids of processes that sleep for this number of seconds, the stopped ones too. */
export function sleepersOf(seconds: string): readonly number[] {
  return fs.readdirSync("/proc").flatMap((name) => {
    if (!/^\d+$/.test(name)) return [];
    try {
      const isIt = /(?:^|\/)sleep\0/.test(fs.readFileSync(`/proc/${name}/cmdline`, "latin1"));
      const isDead = /\) [ZX]/.test(fs.readFileSync(`/proc/${name}/stat`, "latin1"));
      return isIt && !isDead && fs.readFileSync(`/proc/${name}/cmdline`, "latin1").includes(`\0${seconds}\0`)
        ? [Number(name)]
        : [];
    } catch {
      return [];
    }
  });
}

/** Ends what a failed test left. */
export function endSleepers(seconds: string): void {
  for (const pid of sleepersOf(seconds)) {
    try {
      process.kill(pid, "SIGKILL");
    } catch {
      // It ended by itself.
    }
  }
}

export function hasProgram(name: string): boolean {
  try {
    execFileSync("sh", ["-c", `command -v ${name}`], { stdio: "ignore" });
    return true;
  } catch {
    return false;
  }
}
