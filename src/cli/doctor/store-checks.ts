/** What `doctor` looks at in and around the store. */
import { accessSync, constants, existsSync, statfsSync, statSync } from "node:fs";
import { dirname } from "node:path";
import { chooseStore } from "../../config/store-choice.ts";
import { LEASE, neutralise } from "../../edges/basics.ts";
import { resourceId } from "../../edges/names.ts";
import {
  fileSystemName,
  inspectStore,
  livenessOf,
  ownIdentity,
  type StoreFacts,
  sharedFileSystem,
  storeFile,
} from "../../edges/store.ts";
import type { Clock } from "../../index.ts";
import type { SharedStore } from "../store/shared-store.ts";
import type { Surroundings } from "../surroundings.ts";
import { bytes, count, duration } from "../terminal/duration.ts";
import type { Check } from "./checks.ts";

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

/** Bytes above which something keeps the store from forgetting. */
const BIG = 400_000_000;
/** Milliseconds by which two clocks of one machine may differ. */
const CLOCK_SLACK_MS = 60_000;

/** What the file says of itself: before it is opened, so that a writer that stands still is named and not waited for. */
export function checkFile(
  file: string,
  { clock, isThorough }: { readonly clock: Clock; readonly isThorough: boolean },
): readonly Check[] {
  const name = "store";
  let facts: StoreFacts;
  try {
    facts = inspectStore(file, { isThorough });
  } catch (error) {
    const { message, hint } = error as { readonly message?: string; readonly hint?: string }; // whatever it is, its message is shown
    const what = message ?? String(error);
    return [{ name, status: "fault", what, ...(hint === undefined ? {} : { fix: hint }) }];
  }
  const checks: Check[] = [];
  const { writer, damage, lastNowMs, lastWallMs, usedBytes } = facts;
  if (facts.mode !== 0o600) {
    const what = `others may read it (mode ${facts.mode.toString(8)}); the next command that opens it changes that`;
    checks.push({ name, status: "warning", what, fix: `chmod 600 ${file}` });
  }
  if (usedBytes > BIG) {
    const what = `${bytes(usedBytes)} in use: finished tasks of workflows that still have unfinished ones are not forgotten`;
    checks.push({ name, status: "warning", what, fix: "lockyard status shows them; cancel those nobody needs" });
  }
  if (writer !== null && (writer.state === "T" || writer.state === "t")) {
    const what = neutralise(`${writer.command} (pid ${writer.pid}) is stopped while it writes: nobody else can`);
    checks.push({ name, status: "fault", what, fix: `kill -CONT ${writer.pid}, or kill -KILL ${writer.pid}` });
  }
  if (lastNowMs - clock.nowMs() > CLOCK_SLACK_MS) {
    const what = `the last turn was ${duration(lastNowMs - clock.nowMs())} ahead of the time since boot that is seen here`;
    checks.push({
      name: "clock",
      status: "fault",
      what,
      fix: "use one store for each time namespace (LOCKYARD_STORE)",
    });
  }
  if (lastWallMs - clock.wallMs() > CLOCK_SLACK_MS) {
    const what = `the clock stands ${duration(lastWallMs - clock.wallMs())} before the last turn: it was set back`;
    checks.push({
      name: "clock",
      status: "warning",
      what,
      fix: "set it right; what is old is told by it, never who may start",
    });
  }
  if (damage === null) return checks;
  if (damage.length === 0) checks.push({ name, status: "ok", what: "every page was read and none is damaged" });
  else {
    const what = ["it is damaged:", ...damage].map(neutralise).join("\n");
    const fix = `end what uses it, keep a copy of ${file} and its -wal, then move all three files away`;
    checks.push({ name, status: "fault", what, fix });
  }
  return checks;
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
  const on = fileSystemName(dirname(file));
  return { name, status: "ok", what: `${file}, ${bytes(size)}${on === null ? "" : `, on ${on}`}` };
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
    const { pidNamespace } = ownIdentity();
    const elsewhere = owners.filter((owner) => owner.pidNamespace !== pidNamespace && !lost.includes(owner)).length;
    if (elsewhere > 0) {
      const what = `${count(elsewhere, "process", "processes")} in another container: only ${elsewhere === 1 ? "its lease speaks" : "their leases speak"}, and what a dead one held is quarantined`;
      checks.push({ name: "owners", status: "warning", what });
    }
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
