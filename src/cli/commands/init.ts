/** `lockyard init`: proposes, shows, writes when told to; never overwrites. */
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { availableParallelism, homedir } from "node:os";
import { basename, join } from "node:path";
import { errorCode, LockyardError, stateDirectory } from "../../edges/basics.ts";
import { EXIT, type ExitCode } from "../exit-codes.ts";
import { MCP_FILE, type StarterFile, starterFiles } from "../init/starter-files.ts";
import { workspaceRoot } from "../look/workspace.ts";
import type { InitOptions } from "../set-up-commands.ts";
import type { Surroundings } from "../surroundings.ts";
import { agrees } from "../terminal/agrees.ts";

export async function initCommand(options: InitOptions, surroundings: Surroundings): Promise<ExitCode> {
  const { out, cwd } = surroundings;
  const json = options.json === true;
  const root = workspaceRoot(cwd);
  const read = (name: string) => readIfThere(join(root, name));
  const starters = starterFiles({ read, name: basename(root), cores: availableParallelism() });
  const files = options.mcp === true ? [...starters, MCP_FILE] : starters;
  const hosts = await foundHosts(root, surroundings);
  const kept = files.filter(({ name }) => existsSync(join(root, name)));
  const fresh = files.filter((file) => !kept.includes(file));
  if (!json) show(fresh, kept, { ...surroundings, root });
  const mayWrite =
    fresh.length > 0 && (options.yes === true || (!json && (await agrees("Write it? [y/N] ", surroundings))));
  if (mayWrite) for (const { name, text } of fresh) write(join(root, name), text);
  const written = mayWrite ? fresh : [];
  if (json) {
    const names = (some: readonly StarterFile[]) => some.map(({ name }) => name);
    out.json({
      type: "init",
      root,
      written: names(written),
      kept: names(kept),
      proposed: mayWrite ? [] : fresh,
      hosts,
    });
  } else if (written.length > 0) {
    out.line(`Written: ${written.map(({ name }) => name).join(", ")}. Next: lockyard plan lockyard.plan.yaml`);
  } else if (fresh.length > 0) out.line("Nothing was written. To write it: lockyard init --yes");
  if (!json) out.lines(hostLines(hosts, options));
  return EXIT.ok;
}

interface FoundHost {
  readonly host: string;
  readonly title: string;
  readonly isGuarded: boolean;
}

/** AI hosts of this machine. */
async function foundHosts(root: string, { env }: Surroundings): Promise<readonly FoundHost[]> {
  const { HOST_NAMES, HookInstaller } = await import("../../hooks/install/index.ts");
  const installer = new HookInstaller({ env, home: homedir(), root, state: stateDirectory() });
  const program = { node: process.execPath, script: process.argv[1] ?? "" };
  return HOST_NAMES.map((host) => installer.status(host, program))
    .filter(({ isFound, installed }) => isFound || installed.length > 0)
    .map(({ host, title, installed }) => ({ host, title, isGuarded: installed.length > 0 }));
}

function hostLines(hosts: readonly FoundHost[], options: InitOptions): readonly string[] {
  const open = hosts.filter(({ isGuarded }) => !isGuarded);
  const titles = open.map(({ title }) => title).join(", ");
  const guard = `Found ${titles}. Guard their sessions: lockyard hooks install ${open.map(({ host }) => host).join(" ")}`;
  const mcp = "Let sessions here hand tasks to Lockyard: lockyard init --mcp writes .mcp.json, for Claude Code";
  return [...(open.length > 0 ? [guard] : []), ...(hosts.length > 0 && options.mcp !== true ? [mcp] : [])];
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
