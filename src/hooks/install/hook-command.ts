/**
 * The command line a host starts at each event. It names its Node and its script by absolute paths, and lets the host go on
 * when one of them is gone: a lock tool must not stop work.
 */

import type { HostName } from "../hook-call.ts";
import { quoteWords } from "../shell/words.ts";

export interface Program {
  /** Absolute paths. */
  readonly node: string;
  readonly script: string;
}

/** What becomes of a call when Lockyard or its Node is gone. `tell`: as `pass`, with a line for the user. */
export type WhenGone = "pass" | "tell" | "refuse";

const IS_THERE = '[ -x "$0" ] && [ -f "$1" ]';

/** In a `sh -c` of its own: a host starts it in whatever shell the user has. */
export function hookCommand(
  host: HostName,
  { program, whenGone }: { readonly program: Program; readonly whenGone: WhenGone },
): string {
  const { node, script } = program;
  return `/bin/sh -c ${quoteWords([scriptFor(host, whenGone), node, script, "hook", host])}`;
}

function scriptFor(host: HostName, whenGone: WhenGone): string {
  const gone = `Lockyard is gone from where it was installed`;
  const fix = `Install it again: lockyard hooks install ${host}`;
  const otherwise = {
    pass: "exit 0",
    tell: `echo "{\\"systemMessage\\":\\"${gone}: edits are not guarded. ${fix}\\"}"`,
    refuse: `echo "${gone}, and it was installed to refuse then. ${fix}" >&2; exit 2`,
  }[whenGone];
  return `[ "$LOCKYARD" = off ] && exit 0; if ${IS_THERE}; then exec "$0" "$@"; else ${otherwise}; fi`;
}

/** Whether a command of somebody's settings is one of ours, whatever version wrote it. */
export function isHookCommand(command: unknown, host: HostName): command is string {
  return typeof command === "string" && new RegExp(`^/bin/sh -c .*lockyard\\.js'? hook ${host}$`, "s").test(command);
}

/** The Node and the script that one of our commands names. */
export function programOf(command: string): Program | null {
  const words = [...command.matchAll(/'((?:[^']|'\\'')*)'|(\S+)/g)].map((match) =>
    (match[1] ?? match[2] ?? "").replaceAll(`'\\''`, "'"),
  );
  const [node, script] = words.slice(-4, -2);
  return node === undefined || script === undefined ? null : { node, script };
}
