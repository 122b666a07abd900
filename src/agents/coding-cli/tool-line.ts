/** One line about what a coding agent does: a tool, and what it is used on. */
import { textAt } from "./json.ts";

/** Where tools say what they work on, in the words of all of them. */
const SUBJECTS = [
  "file_path",
  "filePath",
  "path",
  "notebook_path",
  "dir_path",
  "command",
  "cmd",
  "pattern",
  "query",
  "url",
  "description",
];
const MOST_CHARS = 200;

export function named(tool: string, input: unknown): string {
  const subject = SUBJECTS.map((name) => textAt(input, name)).find((text) => text !== "") ?? "";
  return oneLine(`${tool || "a tool"} ${subject}`);
}

export function oneLine(text: string): string {
  const line = text.replaceAll(/\s+/g, " ").trim();
  return line.length > MOST_CHARS ? `${line.slice(0, MOST_CHARS)}…` : line;
}
