/** `lockyard init`: proposes, shows, writes when told to; never overwrites. */
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { availableParallelism } from "node:os";
import { basename, join } from "node:path";
import { errorCode, LockyardError } from "../../edges/basics.ts";
import { EXIT, type ExitCode } from "../exit-codes.ts";
import { type StarterFile, starterFiles } from "../init/starter-files.ts";
import { workspaceRoot } from "../look/workspace.ts";
import type { InitOptions } from "../set-up-commands.ts";
import type { Surroundings } from "../surroundings.ts";
import { agrees } from "../terminal/agrees.ts";

export async function initCommand(options: InitOptions, surroundings: Surroundings): Promise<ExitCode> {
  const { out, cwd } = surroundings;
  const json = options.json === true;
  const root = workspaceRoot(cwd);
  const files = starterFiles({
    read: (name) => readIfThere(join(root, name)),
    name: basename(root),
    cores: availableParallelism(),
  });
  const kept = files.filter(({ name }) => existsSync(join(root, name)));
  const fresh = files.filter((file) => !kept.includes(file));
  if (!json) show(fresh, kept, { ...surroundings, root });
  const mayWrite =
    fresh.length > 0 && (options.yes === true || (!json && (await agrees("Write it? [y/N] ", surroundings))));
  if (mayWrite) for (const { name, text } of fresh) write(join(root, name), text);
  const written = mayWrite ? fresh : [];
  if (json) {
    const names = (some: readonly StarterFile[]) => some.map(({ name }) => name);
    out.json({ type: "init", root, written: names(written), kept: names(kept), proposed: mayWrite ? [] : fresh });
  } else if (written.length > 0) {
    out.line(`Written: ${written.map(({ name }) => name).join(", ")}. Next: lockyard plan lockyard.plan.yaml`);
  } else if (fresh.length > 0) out.line("Nothing was written. To write it: lockyard init --yes");
  return EXIT.ok;
}

function show(
  fresh: readonly StarterFile[],
  kept: readonly StarterFile[],
  { out, root }: Surroundings & { readonly root: string },
): void {
  const { style } = out;
  for (const { name, text } of fresh) {
    out.line(style.bold(`Would write ${join(root, name)}:`));
    out.lines(
      text
        .trimEnd()
        .split("\n")
        .map((line) => `  ${line}`.trimEnd()),
    );
    out.line();
  }
  for (const { name } of kept) out.line(`${name} is there already and stays as it is.`);
  if (fresh.length === 0) out.line("There is nothing to write.");
}

function readIfThere(path: string): string | undefined {
  try {
    return readFileSync(path, "utf8");
  } catch {
    return undefined;
  }
}

/** `wx`: what came to be meanwhile is not overwritten either. */
function write(path: string, text: string): void {
  try {
    writeFileSync(path, text, { flag: "wx" });
  } catch (error) {
    const code = errorCode(error);
    throw new LockyardError("INVALID_OPTION", `${path} cannot be written (${code ?? "unknown"}).`, {
      hint: "Make the directory writable, or copy the text from above.",
      cause: error,
    });
  }
}
