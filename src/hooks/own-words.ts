/** How this very program is started from a shell. */
import { realpathSync } from "node:fs";
import { isAbsolute, join } from "node:path";

/** `lockyard` where that is what the shell would start: people allow commands by their first words. Else Node and script. */
export function ownWords(
  path: string,
  [node, script = ""]: readonly string[] = [process.execPath, process.argv[1] ?? ""],
) {
  const own = realPath(script);
  const first = path
    .split(":")
    .filter(isAbsolute)
    .map((directory) => realPath(join(directory, "lockyard")))
    .find((found) => found !== null);
  return first !== undefined && first === own ? ["lockyard"] : [node ?? "node", script];
}

function realPath(path: string): string | null {
  try {
    return realpathSync.native(path);
  } catch {
    return null;
  }
}
