/** `lockyard trust`: shows what the configuration that was found would start, and lets it after a yes. */
import { appendFileSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { dirname } from "node:path";
import type { Config } from "../../config/config.ts";
import { trustFile, trustLine, trustPlace } from "../../config/trust.ts";
import { errorCode, LockyardError, neutralise, stateDirectory } from "../../edges/basics.ts";
import type { PlanAgent } from "../../plan/plan.ts";
import { configFor } from "../config-for.ts";
import { EXIT, type ExitCode } from "../exit-codes.ts";
import { trustOf } from "../run/trust.ts";
import type { TrustOptions } from "../set-up-commands.ts";
import type { Surroundings } from "../surroundings.ts";
import { agrees } from "../terminal/agrees.ts";

export async function trustCommand(options: TrustOptions, surroundings: Surroundings): Promise<ExitCode> {
  const { out, env } = surroundings;
  const json = options.json === true;
  const config = await configFor(surroundings);
  const found = foundAgents(config);
  if (found === null) {
    const text = "Nothing here needs to be trusted: no lockyard.yaml was found that names agents.";
    if (json) out.json({ type: "trust", file: null, isTrusted: false });
    else out.line(text);
    return EXIT.ok;
  }
  const { file, key, agents } = found;
  const told = (isTrusted: boolean) => {
    if (json) out.json({ type: "trust", file, key, isTrusted, agents: agents.map(agentText) });
    return EXIT.ok;
  };
  if (options.revoke === true) {
    revoke(key, config.root);
    if (!json) out.line(`${file} may start no agents here any more.`);
    return told(trustOf(config, env).isTrusted(file));
  }
  const isTrusted = trustOf(config, env).isTrusted(file);
  if (!json) {
    const head = isTrusted ? "may start, because you approved it:" : "wants to start what it has not started before:";
    out.line(`${neutralise(file)} ${head}`);
    out.lines(agents.map((agent) => `  ${agentText(agent)}`));
  }
  if (isTrusted) return told(true);
  if (options.key !== undefined) return await approve(options.key);
  if (json || !(await agrees("Let it, in this repository? [y/N] ", surroundings))) {
    if (!json) out.line(`Nothing was approved. To approve exactly this: lockyard trust --key ${key}`);
    told(false);
    return json ? EXIT.ok : EXIT.failed;
  }
  return await approve(key);

  async function approve(given: string): Promise<ExitCode> {
    if (given !== key) {
      throw new LockyardError("TRUST_REQUIRED", `The agents of ${file} are not those of the key ${given}.`, {
        hint: "Look at what they are now: lockyard trust",
      });
    }
    remember(trustLine(key, config.root));
    if (!json) out.line(`Approved for ${trustPlace(config.root)}. To take it back: lockyard trust --revoke`);
    return told(true);
  }
}

interface FoundAgents {
  readonly file: string;
  readonly key: string;
  readonly agents: readonly PlanAgent[];
}

/** There is one found file at most; agents that the user's own file names in their place are not its business. */
function foundAgents({ files, agentKeys, agents }: Config): FoundAgents | null {
  const file = files.find(({ path, authority }) => !authority && agentKeys[path] !== undefined)?.path;
  const key = file === undefined ? undefined : agentKeys[file];
  if (file === undefined || key === undefined) return null;
  return { file, key, agents: Object.values(agents).filter(({ declaredBy }) => declaredBy === file) };
}

/** `writer (claude-code, model sonnet, --dangerous)`, with everything that decides what is started. */
function agentText(agent: PlanAgent): string {
  const { name, kind, command, module, model, args, env } = agent;
  const said = [
    command === undefined ? "" : "argv" in command ? command.argv.map(quoted).join(" ") : JSON.stringify(command),
    module === undefined ? "" : `module ${module}`,
    model === undefined ? "" : `model ${model}`,
    args.map(quoted).join(" "),
    ...Object.entries(env ?? {}).map(([variable, value]) => `${variable}=${value}`),
  ].filter((text) => text !== "");
  return neutralise(`${name} (${kind})${said.length === 0 ? "" : `: ${said.join(", ")}`}`);
}

/** As a shell would have to be told: where one argument ends and the next begins is to be seen. */
function quoted(argument: string): string {
  return /^[\w@%+=:,./-]+$/.test(argument) ? argument : `'${argument.replaceAll("'", "'\\''")}'`;
}

function remember(line: string): void {
  const file = trustFile(stateDirectory());
  writing(file, () => {
    mkdirSync(dirname(file), { recursive: true, mode: 0o700 });
    appendFileSync(file, line, { mode: 0o600 });
  });
}

function revoke(key: string, root: string): void {
  const file = trustFile(stateDirectory());
  const gone = trustLine(key, root).trim();
  writing(file, () => {
    const lines = readFileSync(file, "utf8").split("\n");
    writeFileSync(file, lines.filter((line) => line.trim() !== gone).join("\n"), { mode: 0o600 });
  });
}

function writing(file: string, act: () => void): void {
  try {
    act();
  } catch (error) {
    const code = errorCode(error);
    if (code === "ENOENT") return; // nothing was ever approved
    throw new LockyardError("INVALID_OPTION", `${file} cannot be written (${code ?? "unknown"}).`, {
      hint: "Make it writable, or say it for this shell: LOCKYARD_TRUST=KEY",
      cause: error,
    });
  }
}
