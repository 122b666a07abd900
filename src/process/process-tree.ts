/**
 * Everything a process started, however it tried to get away.
 *
 *  T1 a member is not older than the root, is not this process, and is tied to the root by at least one of: its control
 *     group, descent (parent numbers), process group, session, or the marker in its environment
 *  T2 once a member, always a member: a process whose parent died is still known by pid and start time
 *  T3 a group or session counts only while its number cannot have been given to somebody else
 *
 * What gets away without a control group: a process that detaches twice AND empties its environment before the first look,
 * and one that becomes another user after its relatives are gone.
 */
import { BOUNDS } from "../core/bounds.ts";
import type { OwnedProcess } from "../core/ports.ts";
import { cgroupMembers, cgroupPlace, killCgroup, makeCgroup, removeCgroup } from "./cgroup.ts";
import { carriesMarker, MARKER_VARIABLE } from "./marker.ts";
import { hasProcessTable, type ProcessEntry, readProcesses, readVariable } from "./proc-table.ts";

export interface ProcessTree {
  readonly root: OwnedProcess;
  /** Members that live now. An empty list is the proof that the tree is down, as far as the level of containment goes. */
  find(): readonly ProcessEntry[];
  /** Kills all members in one step, where that is possible. What still lives then is killed one by one. */
  strike?(): void;
}

/** Best first. `none`: only the process that was started is known. */
export type ContainmentLevel = "cgroup" | "sweep" | "group" | "none";

/** How well a tree is contained here, and what gets away. Printed by `doctor`. */
export interface Containment {
  readonly level: ContainmentLevel;
  readonly findsBy: readonly string[];
  readonly misses: readonly string[];
  /** Why it is not the level above; null at the highest. */
  readonly why: string | null;
}

const SWEEP = ["descent", "process group", "session", "marker in the environment"];

export function containmentLevel(): ContainmentLevel {
  return containment().level;
}

/** Tried, not guessed: a control group is made and taken away again. */
export function containment(): Containment {
  if (process.platform === "win32")
    return { level: "none", findsBy: [], misses: ["whatever the process starts"], why: "this is Windows" };
  if (!hasProcessTable()) {
    return {
      level: "group",
      findsBy: ["process group"],
      misses: ["a process that starts a session or group of its own"],
      why: "there is no process table that could be read",
    };
  }
  const place = cgroupPlace();
  const probe = makeCgroup(`probe-${process.pid}`);
  if (probe !== undefined) {
    removeCgroup(probe);
    return {
      level: "cgroup",
      findsBy: ["control group", ...SWEEP],
      misses: ["what another program starts for it (docker, systemd-run, a daemon that ran before)"],
      why: null,
    };
  }
  return {
    level: "sweep",
    findsBy: SWEEP,
    misses: [
      "a process that detaches twice and empties its environment before it is first seen",
      "what another program starts for it (docker, systemd-run, a daemon that ran before)",
    ],
    why: "why" in place ? place.why : `below ${place.directory} no group can be made that kills (Linux 5.14 has them)`,
  };
}

/** The tree of a process that was spawned as the leader of its own group and session. */
export function processTree(root: OwnedProcess): ProcessTree {
  return hasProcessTable() ? new SweptTree(root) : new GroupTree(root);
}

class SweptTree implements ProcessTree {
  readonly root: OwnedProcess;
  /** Start times of members ever seen, by pid. */
  readonly #known = new Map<number, number>();

  constructor(root: OwnedProcess) {
    this.root = root;
    this.#known.set(root.pid, root.startTime);
  }

  find(): readonly ProcessEntry[] {
    const young = readProcesses().filter(
      (entry) => entry.startTime >= this.root.startTime && entry.pid !== process.pid,
    );
    const members = new Map<number, ProcessEntry>();
    const add = (entry: ProcessEntry) => {
      if (members.size < BOUNDS.processesPerTree) members.set(entry.pid, entry);
    };
    const isGroupOurs = !young.some(({ pid, startTime }) => pid === this.root.pid && startTime !== this.root.startTime);
    const inside = new Set(this.root.cgroup === undefined ? [] : cgroupMembers(this.root.cgroup));
    for (const entry of young) if (inside.has(entry.pid) || this.#isTied(entry, isGroupOurs)) add(entry);
    this.#addDescendants(young, members);
    this.#remember(members);
    if (members.size === 0 && this.root.cgroup !== undefined) removeCgroup(this.root.cgroup);
    return [...members.values()];
  }

  strike(): void {
    if (this.root.cgroup !== undefined) killCgroup(this.root.cgroup);
  }

  #isTied(entry: ProcessEntry, isGroupOurs: boolean): boolean {
    if (this.#known.get(entry.pid) === entry.startTime) return true;
    if (isGroupOurs && (entry.group === this.root.pid || entry.session === this.root.pid)) return true;
    return carriesMarker(readVariable(entry.pid, MARKER_VARIABLE), this.root.marker);
  }

  #addDescendants(young: readonly ProcessEntry[], members: Map<number, ProcessEntry>): void {
    for (let before = -1; before !== members.size && members.size < BOUNDS.processesPerTree; ) {
      before = members.size;
      for (const entry of young) {
        if (!members.has(entry.pid) && members.has(entry.parentPid)) members.set(entry.pid, entry);
      }
    }
  }

  /** Forgets who is gone, so that a long-lived tree does not grow with everything it ever ran. */
  #remember(members: ReadonlyMap<number, ProcessEntry>): void {
    for (const pid of this.#known.keys()) if (!members.has(pid) && pid !== this.root.pid) this.#known.delete(pid);
    for (const { pid, startTime } of members.values()) this.#known.set(pid, startTime);
    this.#known.set(this.root.pid, this.root.startTime);
  }
}

/** Without a process table: all that can be asked is whether somebody of the group answers. */
class GroupTree implements ProcessTree {
  readonly root: OwnedProcess;

  constructor(root: OwnedProcess) {
    this.root = root;
  }

  find(): readonly ProcessEntry[] {
    const { pid, startTime } = this.root;
    try {
      process.kill(-pid, 0);
    } catch {
      return [];
    }
    return [{ pid, parentPid: 0, group: pid, session: pid, startTime, name: "process group" }];
  }
}
