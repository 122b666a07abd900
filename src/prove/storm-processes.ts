/** The monitor's own look at processes: by what their environment says, so that a number given again deceives nobody. */
import fs from "node:fs";
import { readCommandLine, readProcesses } from "../edges/store.ts";

/** Whether the process that writes for this holder lives. A zombie has no environment. */
export function isHolderAlive({ pid, fence }: { readonly pid: number; readonly fence: number }, tag: string): boolean {
  const environment = environmentOf(pid);
  return environment.includes(`LOCKYARD_PROVE=${tag}\0`) && environment.includes(`LOCKYARD_FENCE=${fence}\0`);
}

/** Every living process that was started in this storm, other than this one. */
export function processesOf(tag: string): readonly number[] {
  const numbers = fs.readdirSync("/proc").filter((name) => /^[1-9]\d*$/.test(name));
  const pids = numbers.map(Number).filter((pid) => pid !== process.pid);
  return pids.filter((pid) => environmentOf(pid).includes(`LOCKYARD_PROVE=${tag}\0`));
}

function environmentOf(pid: number): string {
  try {
    return `${fs.readFileSync(`/proc/${pid}/environ`, "latin1")}\0`;
  } catch {
    return ""; // It is gone, or another user's.
  }
}

export function signal(pid: number, name: NodeJS.Signals): void {
  try {
    process.kill(pid, name);
  } catch {
    // It is gone: nothing to send it to.
  }
}

/** The guardian of this process: what would end its leftovers without anybody's sweep. */
export function endGuardian(parent: number): void {
  for (const { pid, parentPid } of readProcesses()) {
    if (parentPid === parent && readCommandLine(pid).includes("lockyard-guardian")) signal(pid, "SIGKILL");
  }
}
