/**
 * A marker in the environment of a child is inherited by all it starts, however it detaches itself. Markers of nested
 * runs stand side by side, outermost first, so that each of them finds everything below it.
 */
import type { Clock } from "../core/ports.ts";

export const MARKER_VARIABLE = "LOCKYARD_MARKER";

/** A marker that no other process of this machine carries. Not a secret. */
export function newMarker(clock: Clock): string {
  const chance = () => Math.floor(clock.random() * 2 ** 32).toString(36);
  return `${process.pid}-${Math.floor(clock.nowMs() * 1_000).toString(36)}-${chance()}${chance()}`;
}

/** The variable's value for a child: the markers this process carries itself, and the new one. */
export function markerChain(marker: string, inherited: string | undefined): string {
  return inherited === undefined || inherited === "" ? marker : `${inherited} ${marker}`;
}

export function carriesMarker(chain: string | undefined, marker: string): boolean {
  return chain?.split(" ").includes(marker) ?? false;
}
