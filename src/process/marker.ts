/**
 * A marker in the environment of a child is inherited by all it starts, however it detaches itself. Markers of nested
 * runs stand side by side, outermost first, so that each of them finds everything below it.
 *
 * It begins with the process that made it (pid and start time), so that what a dead process left behind is found by
 * whoever comes after, and never taken for that of a later process with its number.
 */
import type { Clock, ProcessIdentity } from "../core/ports.ts";
import { readStartTime } from "./proc-table.ts";

export const MARKER_VARIABLE = "LOCKYARD_MARKER";

/** A marker that no other process of this machine carries. Not a secret; letters, digits, `.` and `-` only. */
export function newMarker(clock: Clock): string {
  const chance = () => Math.floor(clock.random() * 2 ** 32).toString(36);
  const maker = { pid: process.pid, startTime: readStartTime(process.pid) ?? 0 };
  return `${makerPrefix(maker)}${Math.floor(clock.nowMs() * 1_000).toString(36)}-${chance()}${chance()}`;
}

/** What every marker made by that process begins with. */
export function makerPrefix({ pid, startTime }: Pick<ProcessIdentity, "pid" | "startTime">): string {
  return `${pid}.${startTime}-`;
}

/** The variable's value for a child: the markers this process carries itself, and the new one. */
export function markerChain(marker: string, inherited: string | undefined): string {
  return inherited === undefined || inherited === "" ? marker : `${inherited} ${marker}`;
}

export function carriesMarker(chain: string | undefined, marker: string): boolean {
  return chain?.split(" ").includes(marker) ?? false;
}

/** Whether one of the markers was made by the process with this prefix. */
export function carriesMarkerOf(chain: string | undefined, prefix: string): boolean {
  return chain?.split(" ").some((marker) => marker.startsWith(prefix)) ?? false;
}
