/** `lockyard hooks`: puts hooks into AI hosts, takes them out, pauses them, says how they are. */
import { homedir } from "node:os";
import {
  errorCode,
  IsoTimes,
  LockyardError,
  neutralise,
  stateDirectory,
  suggest,
  systemClock,
} from "../../edges/basics.ts";
import type { Change, HookInstaller, HostStatus, InstalledHooks, Program } from "../../hooks/install/index.ts";
import { configFor } from "../config-for.ts";
import { EXIT, type ExitCode } from "../exit-codes.ts";
import { checkCommit } from "../hooks/check-commit.ts";
import { type OwnProgram, ownProgram } from "../hooks/own-program.ts";
import { workspaceRoot } from "../look/workspace.ts";
import type { HooksOptions } from "../set-up-commands.ts";
import { openShared } from "../store/shared-store.ts";
import type { Surroundings } from "../surroundings.ts";
import { duration, parseDuration } from "../terminal/duration.ts";

type HostName = HostStatus["host"];

export async function hooksCommand(
  action: string,
  {
    words,
    options,
    surroundings,
  }: { readonly words: readonly string[]; readonly options: HooksOptions; readonly surroundings: Surroundings },
): Promise<ExitCode> {
  const inside = await import("../../hooks/install/index.ts");
  const { cwd, env } = surroundings;
  const place = { env, home: homedir(), root: workspaceRoot(cwd), state: stateDirectory() };
  const work: Work = { inside, installer: new inside.HookInstaller(place), options, surroundings };
  const hosts = action === "install" || action === "remove" ? hostsOf(words, inside.HOST_NAMES) : [];
  switch (action) {
    case "check-commit":
      return await checkCommit(options, surroundings);
    case "install":
      return await install(hosts, work);
    case "remove":
      return remove(hosts, work);
    case "pause":
      return pause(words, work);
    case "resume":
      return resume(work);
    default:
      return await status(work);
  }
}

interface Work {
  readonly inside: typeof import("../../hooks/install/index.ts");
  readonly installer: HookInstaller;
  readonly options: HooksOptions;
  readonly surroundings: Surroundings;
}

/** `git` is none, and is guarded the same way. */
type Guarded = HostName | "git";

function hostsOf(words: readonly string[], hosts: readonly HostName[]): readonly Guarded[] {
  const known: readonly Guarded[] = [...hosts, "git"];
  const unknown = words.find((word) => !known.some((host) => host === word));
  if (unknown !== undefined) {
    const near = suggest(unknown, known);
    throw new LockyardError("INVALID_OPTION", `No host named "${unknown}".`, {
      hint: near === undefined ? `Known are ${known.join(", ")}.` : `Did you mean ${near}?`,
    });
  }
  if (words.length === 0) {
    throw new LockyardError("INVALID_OPTION", "Which host?", { hint: `One or more of ${known.join(", ")}.` });
  }
  return known.filter((host) => words.includes(host));
}

async function install(hosts: readonly Guarded[], work: Work): Promise<ExitCode> {
  const { installer, options, surroundings } = work;
  const { node, script, notes } = await ownProgram(surroundings.env);
  const { ifBroken } = await configFor(surroundings);
  const program = { node, script };
  const scope = options.project === true ? "project" : "user";
  const told = hosts.map((host) => {
    if (host === "git") return toldOfGit(program, work, notes);
    const ifGone = ifBroken === "fail" ? "refuse" : "pass";
    const isThroughServer = options.server === true && host === "claude";
    const changes = installer.install({ host, program, ifGone, isThroughServer }, scope);
    apply(changes, work);
    return { host, changes, notes: options.dryRun === true ? [] : [...notes, ...installer.notes(host)] };
  });
  return tell(told, { action: "install", work, nothing: "is there already; nothing changes." });
}

function remove(hosts: readonly Guarded[], work: Work): ExitCode {
  const told = hosts.map((host) => {
    if (host === "git") return toldOfGit(null, work, []);
    const changes = work.installer.remove(host);
    apply(changes, work);
    return { host, changes, notes: [] };
  });
  return tell(told, { action: "remove", work, nothing: "has no hooks of Lockyard." });
}

function toldOfGit(program: Program | null, { inside, options, surroundings }: Work, notes: readonly string[]): Told {
  const change = inside.gitHook(workspaceRoot(surroundings.cwd), program);
  if (change.before === change.after) return { host: "git", changes: [], notes: [] };
  if (options.dryRun !== true) inside.applyGitHook(change);
  return { host: "git", changes: [change], notes };
}

function apply(changes: readonly Change[], { installer, options }: Work): void {
  if (options.dryRun !== true) for (const change of changes) installer.apply(change);
}

interface Told {
  readonly host: Guarded;
  readonly changes: readonly Pick<Change, "path" | "before" | "after">[];
  readonly notes: readonly string[];
}

function tell(
  told: readonly Told[],
  { action, work, nothing }: { readonly action: string; readonly work: Work; readonly nothing: string },
): ExitCode {
  const { inside, options, surroundings } = work;
  const { out } = surroundings;
  const done = options.dryRun !== true;
  const diffOf = ({ before, after }: Pick<Change, "before" | "after">) => inside.textDiff(before ?? "", after ?? "");
  if (options.json === true) {
    const hosts = told.map(({ host, changes, notes }) => ({
      host,
      changes: changes.map((change) => ({ path: change.path, diff: diffOf(change) })),
      notes,
    }));
    out.json({ type: "hooks", action, done, hosts });
    return EXIT.ok;
  }
  for (const { host, changes, notes } of told) {
    const title = host === "git" ? "The pre-commit hook of git" : inside.HOSTS[host].title;
    if (changes.length === 0) out.line(`${title} ${nothing}`);
    for (const change of changes) {
      const what = change.after === null ? (done ? "removed" : "would be removed") : done ? "changed" : "would change";
      out.line(out.style.bold(`${change.path} ${what}:`));
      out.lines(diffOf(change).map((line) => painted(neutralise(line), out.style)));
    }
    if (action === "install" && changes.length > 0 && done)
      out.line(`${doneText(host, title)} Undo: lockyard hooks remove ${host}`);
    for (const note of notes) out.line(`Note: ${note}`);
  }
  return EXIT.ok;
}

function doneText(host: Guarded, title: string): string {
  return host === "git"
    ? "Commits of this repository that take along edits of a living session are refused to other sessions, and told people."
    : `${title} is guarded from its next session on.`;
}

function painted(line: string, style: Surroundings["out"]["style"]): string {
  if (line.startsWith("+ ")) return `  ${style.green(line)}`;
  return `  ${line.startsWith("- ") ? style.red(line) : style.dim(line)}`;
}

function pause(words: readonly string[], { inside, options, surroundings }: Work): ExitCode {
  const [text = "1h", ...more] = words;
  const forMs = more.length === 0 ? (parseDuration(text) ?? 0) : 0;
  if (!(forMs > 0))
    throw new LockyardError("INVALID_OPTION", `"${words.join(" ")}" is no time.`, { hint: "Write 30m or 2h." });
  const clock = systemClock();
  const until = new inside.HookPause(stateDirectory(), clock).begin(forMs);
  const { out } = surroundings;
  if (options.json === true) out.json({ type: "hooks", action: "pause", until: new IsoTimes(clock).textOfWall(until) });
  else out.line(`Hooks pass for ${duration(forMs)}, in every session of yours. Back on: lockyard hooks resume`);
  return EXIT.ok;
}

function resume({ inside, options, surroundings }: Work): ExitCode {
  const pausing = new inside.HookPause(stateDirectory(), systemClock());
  const wasPaused = pausing.until() !== null;
  pausing.end();
  if (options.json === true) surroundings.out.json({ type: "hooks", action: "resume", wasPaused });
  else surroundings.out.line(wasPaused ? "Hooks work again." : "Hooks were not paused.");
  return EXIT.ok;
}

async function status({ inside, installer, options, surroundings }: Work): Promise<ExitCode> {
  const { out, env } = surroundings;
  const clock = systemClock();
  const times = new IsoTimes(clock);
  const program = await ownProgram(env);
  const until = new inside.HookPause(stateDirectory(), clock).until();
  const isOff = env.LOCKYARD === "off";
  const hasGit = inside.hasGitHook(workspaceRoot(surroundings.cwd));
  const seen = await lastSeen(options, surroundings);
  const hosts = inside.HOST_NAMES.map((host) => ({
    ...installer.status(host, program),
    seenWallMs: seen.get(host) ?? null,
  }));
  if (options.json === true) {
    const pausedUntil = until === null ? null : times.textOfWall(until);
    const list = hosts.map(({ seenWallMs, ...host }) => ({
      ...host,
      lastSeen: seenWallMs === null ? null : times.textOfWall(seenWallMs),
    }));
    out.json({ type: "hooks", action: "status", pausedUntil, isOff, commitsChecked: hasGit, hosts: list });
    return EXIT.ok;
  }
  for (const { host, title, isFound, installed, seenWallMs } of hosts) {
    const ago = seenWallMs === null ? "no session seen yet" : `last seen ${duration(clock.wallMs() - seenWallMs)} ago`;
    if (installed.length === 0)
      out.line(`${title}: ${isFound ? `not guarded. Guard it: lockyard hooks install ${host}` : "not found"}`);
    for (const each of installed) out.line(neutralise(`${title}: ${statusText(each, { host, program })}; ${ago}`));
  }
  if (hasGit) out.line("git: commits of this repository are checked");
  if (until !== null)
    out.line(`Paused for another ${duration(until - clock.wallMs())}. Back on: lockyard hooks resume`);
  if (isOff) out.line("LOCKYARD=off in this shell: sessions started from it are not guarded.");
  return hosts.some(({ installed }) => installed.some(({ state }) => state !== "fits")) ? EXIT.failed : EXIT.ok;
}

function statusText(
  { scope, path, state, program, fault }: InstalledHooks,
  { host }: { readonly host: HostName; readonly program: OwnProgram },
): string {
  const again = `lockyard hooks install ${host}${scope === "project" ? " --project" : ""}`;
  switch (state) {
    case "fits":
      return `guarded (${path})`;
    case "other":
      return `guarded by another Lockyard or Node, or in part (${path} starts ${program?.script ?? "?"}). This one instead: ${again}`;
    case "untrusted":
      return `written, and left out until you trust it: start ${host} and type /hooks (${path})`;
    case "gone":
      return `not guarded, because ${program?.node ?? "?"} or ${program?.script ?? "?"} is gone (${path}). Again: ${again}`;
    case "broken":
      return `its settings cannot be read: ${fault ?? path}`;
  }
}

/** By host, the wall time of its last call. What the store cannot say now is told, and is no reason to say nothing. */
async function lastSeen(options: HooksOptions, surroundings: Surroundings): Promise<ReadonlyMap<string, number>> {
  try {
    return await fromBook(options, surroundings);
  } catch (error) {
    if (errorCode(error)?.startsWith("STORE_") !== true || !(error instanceof Error)) throw error;
    surroundings.err.line(`lockyard: ${neutralise(error.message)}`);
    return new Map();
  }
}

async function fromBook(options: HooksOptions, surroundings: Surroundings): Promise<ReadonlyMap<string, number>> {
  const shared = await openShared(options, surroundings);
  if ("none" in shared) return new Map();
  try {
    const sessions = await shared.store.book.look((view) => view.sessions(SESSIONS));
    // Seen last first: of each host the first counts.
    return new Map(sessions.toReversed().map(({ host, seenWallMs }) => [host, seenWallMs]));
  } finally {
    await shared.store.close();
  }
}

/** Sessions looked through for the last of each host. */
const SESSIONS = 200;
