/** The workspace a directory belongs to: its repository, or itself. Without reading configuration, so that looking is quick. */
import { existsSync } from "node:fs";
import { dirname, join } from "node:path";
import { realRoot } from "../../edges/names.ts";

export function workspaceRoot(cwd: string): string {
  for (let directory = cwd; ; directory = dirname(directory)) {
    if (existsSync(join(directory, ".git"))) return realRoot(directory);
    if (dirname(directory) === directory) return realRoot(cwd);
  }
}
