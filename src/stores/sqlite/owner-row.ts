import type { Owner } from "../../core/command.ts";
import type { Values } from "./statements.ts";

/** A row of the table of owners, its columns in the order of sql/counters.ts. */
export function ownerOf(values: Values): Owner {
  const [ownerId, pid, startTime, bootId, pidNamespace, machine, label, beatAtMs] = values;
  return {
    ownerId: String(ownerId),
    pid: Number(pid),
    startTime: Number(startTime),
    bootId: String(bootId),
    pidNamespace: String(pidNamespace),
    machine: String(machine),
    label: String(label),
    beatAtMs: Number(beatAtMs),
  };
}
