/** What an agent says that a tool of it does: read from messages of whatever version, and kept as it grows. */
import path from "node:path";
import { BOUNDS } from "../../core/bounds.ts";
import { readMember } from "../../core/member.ts";

export type ToolKind =
  | "read"
  | "edit"
  | "delete"
  | "move"
  | "search"
  | "execute"
  | "think"
  | "fetch"
  | "switch_mode"
  | "other";

const KINDS: readonly ToolKind[] = [
  "read",
  "edit",
  "delete",
  "move",
  "search",
  "execute",
  "think",
  "fetch",
  "switch_mode",
];

export interface ToolCall {
  readonly id: string;
  readonly kind: ToolKind;
  readonly title: string;
  /** `pending`, `in_progress`, `completed`, `failed`, or what a later version says. */
  readonly status: string;
  /** Absolute paths it names. */
  readonly paths: readonly string[];
  /** The command line, when it says one. */
  readonly command?: string;
}

/** A tool call as far as it was told, with what an update adds. Null when the update names none. */
export function mergedCall(known: ToolCall | undefined, update: unknown, cwd: string): ToolCall | null {
  const id = readMember(update, "toolCallId");
  if (typeof id !== "string" || id === "") return null;
  const command = commandIn(update) ?? known?.command;
  const found = pathsIn(update, cwd);
  return {
    id,
    kind: kindIn(update) ?? known?.kind ?? "other",
    title: textIn(update, "title") ?? known?.title ?? "",
    status: textIn(update, "status") ?? known?.status ?? "pending",
    paths: [...new Set([...(known?.paths ?? []), ...found])].slice(0, BOUNDS.claimsPerTask + 1),
    ...(command === undefined ? undefined : { command }),
  };
}

export function isOver({ status }: ToolCall): boolean {
  return status === "completed" || status === "failed";
}

/** What changes files, as far as the agent says. */
export function changesFiles({ kind }: ToolCall): boolean {
  return kind === "edit" || kind === "delete" || kind === "move";
}

function kindIn(update: unknown): ToolKind | undefined {
  const kind = readMember(update, "kind");
  const known = KINDS.find((each) => each === kind);
  if (known !== undefined) return known;
  // A call that shows a difference edits, whatever it calls itself.
  return contentOf(update).some((item) => readMember(item, "type") === "diff") ? "edit" : undefined;
}

/** Places it names, of differences it shows, and of what the tool was given: agents fill in one or another. */
function pathsIn(update: unknown, cwd: string): readonly string[] {
  const input = readMember(update, "rawInput");
  const given = ["file_path", "filePath", "notebook_path", "path"].map((key) => readMember(input, key));
  const places = [...listIn(update, "locations"), ...contentOf(update)].map((item) => readMember(item, "path"));
  return [...places, ...given]
    .filter((place): place is string => typeof place === "string" && place !== "" && !place.includes("\0"))
    .map((place) => path.resolve(cwd, place));
}

function commandIn(update: unknown): string | undefined {
  const command = readMember(readMember(update, "rawInput"), "command");
  if (typeof command === "string") return command;
  return Array.isArray(command) ? command.map(String).join(" ") : undefined;
}

function contentOf(update: unknown): readonly unknown[] {
  return listIn(update, "content");
}

function listIn(value: unknown, key: string): readonly unknown[] {
  const list = readMember(value, key);
  return Array.isArray(list) ? list.slice(0, BOUNDS.acpItems) : [];
}

function textIn(value: unknown, key: string): string | undefined {
  const text = readMember(value, key);
  return typeof text === "string" && text !== "" ? text : undefined;
}
