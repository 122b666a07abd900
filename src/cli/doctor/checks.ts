/** What `doctor` looks at. Each check answers with a line; none of them changes anything but freeing what the dead held. */
import { accessSync, constants, existsSync, readFileSync, statfsSync, statSync } from "node:fs";
import { dirname } from "node:path";
import { LEASE, neutralise } from "../../edges/basics.ts";
import { resourceId } from "../../edges/names.ts";
import { containment, hasProcessTable, livenessOf, sharedFileSystem, storeFile } from "../../edges/store.ts";
import { configFor, PlanFault } from "../config-for.ts";
import { chooseStore, isOff } from "../store/choice.ts";
import type { SharedStore } from "../store/shared-store.ts";
import type { Surroundings } from "../surroundings.ts";
import { bytes, count } from "../terminal/duration.ts";

export interface Check {
  readonly name: string;
  readonly status: "ok" | "warning" | "fault";
  readonly what: string;
  readonly fix?: string;
}

const FIRST_SAFE = [3, 51, 3] as const;

export function checkNode(): Check {
  const { node, sqlite } = process.versions;
  const name = "Node";
  if (sqlite === undefined) {
    const what = `v${node} has no built-in SQLite: locks reach one process only, and only \`run\` and the library work`;
    return { name, status: "fault", what, fix: "nvm install 24 (22.23, 24.15, 26 and later do)" };
  }
  const parts = sqlite.split(".").map(Number);
  const differing = FIRST_SAFE.findIndex((least, at) => (parts[at] ?? 0) !== least);
  const isSafe = differing === -1 || (parts[differing] ?? 0) > (FIRST_SAFE[differing] ?? 0);
  if (isSafe) return { name, status: "ok", what: `v${node}, SQLite ${sqlite}` };
  const what = `v${node} has SQLite ${sqlite}, which several processes can damage; it needs ${FIRST_SAFE.join(".")}`;
  return { name, status: "fault", what, fix: "nvm install 24 (22.23, 24.15, 26 and later do)" };
}

export function checkSwitch({ env }: Surroundings): readonly Check[] {
  return isOff(env)
    ? [
        {
          name: "switch",
          status: "warning",
          what: "LOCKYARD=off: Lockyard is turned off in this shell",
          fix: "unset LOCKYARD",
        },
      ]
    : [];
}

export function checkPlatform(): readonly Check[] {
  const name = "platform";
  const checks: Check[] = [];
  if (process.platform === "win32") {
    checks.push({
      name,
      status: "fault",
      what: "native Windows: only the library works, and its locks reach one process",
      fix: "use WSL2",
    });
  } else if (process.platform === "darwin") {
    checks.push({
      name,
      status: "warning",
      what: "macOS: locks, leases and group kill are built for it and not tested by us yet",
    });
  } else if (process.platform !== "linux") {
    checks.push({ name, status: "warning", what: `${process.platform} was never tried` });
  } else {
    checks.push({ name, status: "ok", what: `${process.platform} ${process.arch}` });
  }
  if (/microsoft/i.test(readIfThere("/proc/version")) && process.cwd().startsWith("/mnt/")) {
    checks.push({
      name,
      status: "warning",
      what: "this directory belongs to Windows: programs there have a store of their own, and the two share no lock",
      fix: "keep the repository inside WSL",
    });
  }
  if (existsSync("/.dockerenv") || existsSync("/run/.containerenv")) {
    checks.push({
      name,
      status: "warning",
      what: "this is a container: it shares no lock with the machine or with other containers",
      fix: "put LOCKYARD_STORE on a native volume that all of them mount",
    });
  }
  return checks;
}

export function checkContainment(): Check {
  const { level, findsBy, misses } = containment();
  const what = `level ${level}: finds what a task started by ${findsBy.join(", ")}; misses ${misses.join(", ")}`;
  return { name: "processes", status: hasProcessTable() ? "ok" : "warning", what };
}

/** The place of the store, before anything is opened. */
export function checkPlace(
  asked: string | undefined,
  surroundings: Surroundings,
): { readonly checks: readonly Check[]; readonly file: string | null } {
  const name = "store";
  const choice = chooseStore(asked, surroundings);
  if (choice.kind === "memory") {
    return {
      checks: [{ name, status: "warning", what: "memory: nothing is shared with other processes" }],
      file: null,
    };
  }
  try {
    const place = choice.file === undefined ? storeFile() : { file: choice.file, note: null };
    const checks: Check[] = [];
    if (place.note !== null) checks.push({ name, status: "warning", what: place.note });
    const shared = sharedFileSystem(dirname(place.file));
    if (shared !== null) {
      checks.push({
        name,
        status: "fault",
        what: `${place.file} is on ${shared}, where locks do not hold`,
        fix: "LOCKYARD_STORE=/var/tmp/lockyard/store.db",
      });
      return { checks, file: null };
    }
    checks.push(writability(place.file), ...space(place.file));
    return { checks, file: existsSync(place.file) ? place.file : null };
  } catch (error) {
    const what = error instanceof Error ? error.message : String(error);
    return {
      checks: [{ name, status: "fault", what, fix: "name a file on a disk of this machine with LOCKYARD_STORE" }],
      file: null,
    };
  }
}

function writability(file: string): Check {
  const name = "store";
  const place = existsSync(file) ? file : nearestDirectory(file);
  try {
    accessSync(place, constants.R_OK | constants.W_OK);
  } catch {
    return {
      name,
      status: "fault",
      what: `${place} may not be written by this user`,
      fix: `make it writable, or name another place with LOCKYARD_STORE`,
    };
  }
  if (place !== file) return { name, status: "ok", what: `${file} (not there yet; the first run makes it)` };
  const size = statSync(file).size + (statSync(`${file}-wal`, { throwIfNoEntry: false })?.size ?? 0);
  const isBig = size > 400_000_000;
  return { name, status: isBig ? "warning" : "ok", what: `${file}, ${bytes(size)}` };
}

/** Enough for a day of runs; below the second number writes will soon fail. */
const SPACE_WARNING = 500_000_000;
const SPACE_FAULT = 50_000_000;

function space(file: string): readonly Check[] {
  const { bavail, bsize } = statfsSync(nearestDirectory(file));
  const free = bavail * bsize;
  const name = "disk";
  if (free < SPACE_FAULT)
    return [
      { name, status: "fault", what: `${bytes(free)} free: the store will soon refuse writes`, fix: "free some space" },
    ];
  return [{ name, status: free < SPACE_WARNING ? "warning" : "ok", what: `${bytes(free)} free` }];
}

function nearestDirectory(file: string): string {
  let directory = dirname(file);
  while (!existsSync(directory) && dirname(directory) !== directory) directory = dirname(directory);
  return directory;
}

/** Owners and quarantined locks of an opened store. */
export function checkContents({ store, clock }: SharedStore, root: string): readonly Check[] {
  return store.view((view) => {
    const nowMs = clock.nowMs();
    const owners = view.owners();
    const lost = owners.filter((owner) => livenessOf(owner) !== "alive" && nowMs - owner.beatAtMs > LEASE.timeToLiveMs);
    const quarantined = view.holds({ limit: 1_000 }).filter(({ row }) => row.quarantined);
    const checks: Check[] = [
      {
        name: "owners",
        status: "ok",
        what: `${count(owners.length - lost.length, "process", "processes")} ${owners.length - lost.length === 1 ? "has" : "have"} tasks here`,
      },
    ];
    for (const { label, pid, machine } of lost) {
      checks.push({
        name: "owners",
        status: "warning",
        what: neutralise(
          `${label} (pid ${pid} on ${machine}) cannot be seen from here and is not heard of; its locks stay`,
        ),
        fix: `end it, then run lockyard doctor where it ran`,
      });
    }
    for (const { row, claim } of quarantined) {
      checks.push({
        name: "locks",
        status: "fault",
        what: neutralise(
          `${resourceId(claim.node, root)} is quarantined: its last holder (${row.workflowId}/${row.taskId}) could not be stopped`,
        ),
        fix: neutralise(`look for its processes and end them, then lockyard cancel ${row.workflowId}/${row.taskId}`),
      });
    }
    return checks;
  });
}

export async function checkConfig({ cwd, env }: Surroundings): Promise<Check> {
  const name = "config";
  try {
    const { files } = await configFor({ cwd, env });
    return {
      name,
      status: "ok",
      what: files.length === 0 ? "none; defaults hold" : files.map(({ path }) => path).join(", "),
    };
  } catch (error) {
    const what = error instanceof PlanFault ? error.details : error instanceof Error ? error.message : String(error);
    return { name, status: "fault", what, fix: "correct the file" };
  }
}

function readIfThere(path: string): string {
  try {
    return readFileSync(path, "utf8");
  } catch {
    return "";
  }
}
