/** Which process this is, so that it cannot be taken for a later one with the same number, or for one of a container. */
import fs from "node:fs";
import type { ProcessIdentity } from "../core/ports.ts";
import { hasProcessTable, readProcess, readStartTime } from "./proc-table.ts";

/** The living process with this number; undefined when there is none. */
export function identityOf(pid: number): ProcessIdentity | undefined {
  if (!hasProcessTable()) {
    return respondsToSignals(pid) ? { pid, startTime: 0, bootId: "", pidNamespace: "" } : undefined;
  }
  const entry = readProcess(pid);
  return entry === undefined ? undefined : { pid, startTime: entry.startTime, ...machineIdentity() };
}

/** A child that was started in this turn of the loop: it may be dead already, but is not collected before the turn ends. */
export function childIdentity(pid: number): ProcessIdentity {
  return { pid, startTime: readStartTime(pid) ?? 0, ...machineIdentity() };
}

export function ownIdentity(): ProcessIdentity {
  return identityOf(process.pid) ?? { pid: process.pid, startTime: 0, bootId: "", pidNamespace: "" };
}

/** `gone` is a proof; `unknown` when it cannot be judged from here. */
export type Liveness = "alive" | "gone" | "unknown";

/**
 * Whether that process lives. `unknown`: it belongs to another pid namespace (a container counts as another machine), or
 * there is no process table to ask.
 */
export function livenessOf(identity: ProcessIdentity): Liveness {
  return livenessHere()(identity);
}

/** `livenessOf` for many processes: what they have in common is read once. */
export function livenessHere(): (identity: ProcessIdentity) => Liveness {
  if (!hasProcessTable()) {
    // A Linux without a table of its own (its /proc shows another pid namespace): our numbers are not its numbers.
    if (process.platform === "linux") return () => "unknown";
    return ({ pid }) => (respondsToSignals(pid) ? "unknown" : "gone");
  }
  const here = machineIdentity();
  return ({ pid, startTime, bootId, pidNamespace }) => {
    // A boot ends every process. The namespace is asked second: its number may be given again after a boot.
    if (bootId !== here.bootId) return bootId === "" || here.bootId === "" ? "unknown" : "gone";
    if (pidNamespace !== here.pidNamespace) return "unknown";
    return readProcess(pid)?.startTime === startTime ? "alive" : "gone";
  };
}

export function isAlive(identity: ProcessIdentity): boolean {
  return livenessOf(identity) === "alive";
}

/** What all processes that this one can see have in common. */
export function machineIdentity(): { readonly bootId: string; readonly pidNamespace: string } {
  return {
    bootId: quietly(() => fs.readFileSync("/proc/sys/kernel/random/boot_id", "latin1").trim()),
    pidNamespace: quietly(() => fs.readlinkSync("/proc/self/ns/pid")),
  };
}

function quietly(read: () => string): string {
  try {
    return read();
  } catch {
    return "";
  }
}

function respondsToSignals(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === "EPERM"; // kill throws nothing else
  }
}
