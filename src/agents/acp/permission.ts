/** What an agent may do, and which locks that takes. Pure: the answer to a permission request, before any waiting. */
import path from "node:path";
import { BOUNDS } from "../../core/bounds.ts";
import { readMember } from "../../core/member.ts";
import type { Claim } from "../../core/task.ts";
import { changesFiles, type ToolCall, type ToolKind } from "./tool-call.ts";

/** `plan`: look only. `edits`: change files below the working directory, no commands. `full`: whatever it asks. */
export type AcpPermissions = "plan" | "edits" | "full";

/** What a single call may take: units and names, never files, which stay with the task. */
export type CallClaim = Extract<Claim, { readonly use: string } | { readonly lock: string }>;

export type Judgement =
  | { readonly allow: true; readonly files: readonly string[]; readonly claims: readonly CallClaim[] }
  | { readonly allow: false; readonly why: string };

export interface Rules {
  readonly permissions: AcpPermissions;
  /** Absolute; files below it may be changed. */
  readonly cwd: string;
  readonly claimsFor?: ((call: ToolCall) => readonly CallClaim[]) | undefined;
}

const LOOKS: readonly ToolKind[] = ["read", "search", "think"];

export function judge(call: ToolCall, rules: Rules): Judgement {
  const { permissions, cwd } = rules;
  if (LOOKS.includes(call.kind)) return allowed([], call, rules);
  if (permissions === "plan") return refused(call, "it may only look");
  if (!changesFiles(call)) {
    return permissions === "edits" ? refused(call, "it may change files and run nothing") : allowed([], call, rules);
  }
  const outside = call.paths.find((place) => !isBelow(place, cwd));
  if (permissions === "edits" && outside !== undefined) return refused(call, `${outside} is outside of ${cwd}`);
  // Everything, when it names nothing or too much.
  const isNamed = call.paths.length > 0 && call.paths.length <= BOUNDS.claimsPerTask;
  return allowed(isNamed ? call.paths : [cwd], call, rules);
}

function allowed(files: readonly string[], call: ToolCall, { claimsFor }: Rules): Judgement {
  return { allow: true, files, claims: claimsFor?.(call) ?? [] };
}

function refused({ kind, title }: ToolCall, why: string): Judgement {
  return { allow: false, why: `${`${kind} ${title}`.trim().slice(0, 200)}: ${why}` };
}

export function isBelow(place: string, directory: string): boolean {
  const relative = path.relative(directory, place);
  return relative !== ".." && !relative.startsWith(`..${path.sep}`) && !path.isAbsolute(relative);
}

const ONCE_FIRST = {
  allow: ["allow_once", "allow_always"],
  reject: ["reject_once", "reject_always"],
} as const;

/** The option to choose, once rather than for ever: each use shall be asked for. Undefined when none fits. */
export function optionFor(answer: "allow" | "reject", options: unknown): string | undefined {
  const list: readonly unknown[] = Array.isArray(options) ? options : [];
  for (const kind of ONCE_FIRST[answer]) {
    const option = list.find((each) => readMember(each, "kind") === kind);
    const id = readMember(option, "optionId");
    if (typeof id === "string") return id;
  }
  return undefined;
}
