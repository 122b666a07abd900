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

/**
 * Whether that process lives: `gone` is a proof. `unknown` when it cannot be judged from here: it belongs to another
 * pid namespace (a container counts as another machine), or this machine has no process table.
 */
export function livenessOf(identity: ProcessIdentity): "alive" | "gone" | "unknown" {
  if (!hasProcessTable()) return respondsToSignals(identity.pid) ? "unknown" : "gone";
  const here = machineIdentity();
  // A boot ends every process. The namespace is asked second: its number may be given again after a boot.
  if (identity.bootId !== here.bootId) return identity.bootId === "" ? "unknown" : "gone";
  if (identity.pidNamespace !== here.pidNamespace) return "unknown";
  return readProcess(identity.pid)?.startTime === identity.startTime ? "alive" : "gone";
}

export function isAlive(identity: ProcessIdentity): boolean {
  return livenessOf(identity) === "alive";
}

function machineIdentity(): { readonly bootId: string; readonly pidNamespace: string } {
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
