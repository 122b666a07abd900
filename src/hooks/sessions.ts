/** Who speaks: a session's entry in the book, its owner in the store, the name people know it by. */
import { hostname } from "node:os";
import { basename } from "node:path";
import { neutralise } from "../edges/basics.ts";
import {
  gitDirectories,
  type HolderToken,
  identityOf,
  type Owner,
  type ProcessIdentity,
  readProcess,
  type Session,
  type SessionStore,
  shortHash,
} from "../edges/sessions.ts";
import type { Clock } from "../index.ts";
import { branchOf, worktreeRoot } from "./git-place.ts";
import type { Holder } from "./holds.ts";
import type { HookCall } from "./hook-call.ts";
import { holderLabel, hostTitle } from "./messages.ts";

/** One call's session, with all that follows from it. */
export interface Seat extends Holder {
  readonly session: Session;
  /** Absolute, of this call. */
  readonly cwd: string;
}

export interface SessionsOptions {
  readonly store: SessionStore;
  readonly clock: Clock;
  /** The host's process, or null where it is not known. */
  readonly hostProcess: () => ProcessIdentity | null;
  readonly inside: HolderToken | null;
}

/** Times it was seen are written down no more often than this. */
const SEEN_MS = 30_000;
const NAME_WORDS = 6;
const NAME_CHARS = 40;

/** The same for every process that speaks for the session. */
export function sessionIdOf({ host, session }: Pick<HookCall, "host" | "session">): string {
  return `session-${shortHash(`${host} ${session}`)}`;
}

export class Sessions {
  readonly #options: SessionsOptions;
  /** Owners that joined the store through this process, and as which process. */
  readonly #joined = new Map<string, number>();

  constructor(options: SessionsOptions) {
    this.#options = options;
  }

  /** The entry of the session, made or brought up to date. */
  async seat(call: HookCall): Promise<Seat> {
    const { store } = this.#options;
    const sessionId = sessionIdOf(call);
    const known = await store.book.look((view) => view.session(sessionId));
    const session = this.#current(call, known);
    if (session !== known) await store.book.write([{ type: "session", session }]);
    const subagent = call.subagent ?? "";
    const label = holderLabel(session, subagent);
    return { session, sessionId, subagent, label, inside: this.#options.inside, cwd: call.cwd };
  }

  /** Before a session asks the store for anything: it must be seen who stands behind it. */
  async join({ session }: Seat): Promise<void> {
    const { store, clock } = this.#options;
    const pid = session.process?.pid ?? 0;
    const isKnown = this.#joined.get(session.sessionId) === pid;
    // One whose process cannot be seen from elsewhere may have been judged gone meanwhile.
    if (isKnown && (await store.view((view) => view.owners().some((owner) => owner.ownerId === session.sessionId))))
      return;
    const owner: Owner = {
      ownerId: session.sessionId,
      ...(session.process ?? { pid: 0, startTime: 0, bootId: "", pidNamespace: "" }),
      machine: hostname(),
      label: `${hostTitle(session.host)} "${session.name}"`,
      beatAtMs: clock.nowMs(),
    };
    await store.join(owner, () => undefined);
    this.#joined.set(session.sessionId, pid);
  }

  /** Changes what is known of a session, and answers with it as it is then. */
  async note(seat: Seat, over: Partial<Session>): Promise<Seat> {
    const session = { ...seat.session, ...over };
    await this.#options.store.book.write([{ type: "session", session }]);
    return { ...seat, session };
  }

  #current(call: HookCall, known: Session | undefined): Session {
    const { clock, hostProcess } = this.#options;
    const wallMs = clock.wallMs();
    const process = hostProcess() ?? known?.process ?? null;
    const isStart = call.event === "session-start" || call.event === "turn-start";
    if (known === undefined) return named(this.#unknown(call, process), call);
    const hasMoved = process !== null && !isSame(process, known.process);
    if (!isStart && !hasMoved && !known.hasEnded && wallMs - known.seenWallMs < SEEN_MS) return known;
    const place = isStart || hasMoved ? placeOf(call.cwd) : {};
    return named({ ...known, ...place, process, seenWallMs: wallMs, hasEnded: false }, call);
  }

  #unknown(call: HookCall, process: ProcessIdentity | null): Session {
    const wallMs = this.#options.clock.wallMs();
    const place = placeOf(call.cwd);
    return {
      sessionId: sessionIdOf(call),
      host: call.host,
      name: place.branch || basename(place.root) || "session",
      hasPromptName: false,
      ...place,
      process,
      startedWallMs: wallMs,
      seenWallMs: wallMs,
      turnWallMs: 0,
      shellWallMs: 0,
      tellsReads: false,
      hasEnded: false,
    };
  }
}

function placeOf(cwd: string): Pick<Session, "cwd" | "root" | "repository" | "branch"> {
  const root = worktreeRoot(cwd);
  const git = root === null ? undefined : gitDirectories(root);
  if (root === null || git === undefined) return { cwd, root: cwd, repository: "", branch: "" };
  return { cwd, root, repository: git.commonDirectory, branch: branchOf(git.gitDirectory) };
}

/** The first prompt that says something names the session for good. */
function named(session: Session, { prompt }: HookCall): Session {
  const name = session.hasPromptName || prompt === null ? "" : nameFrom(prompt);
  return name === "" ? session : { ...session, name, hasPromptName: true };
}

/** First words of a prompt; empty for a host's own command, or for nothing that can be read. */
export function nameFrom(prompt: string): string {
  if (/^\s*\/\w/.test(prompt)) return "";
  const plain = neutralise(prompt.slice(0, 2_000))
    .replace(/<[^>]*>/g, " ")
    .replace(/["`]/g, "")
    .trim();
  let name = "";
  for (const word of plain.split(/\s+/).slice(0, NAME_WORDS)) {
    const longer = name === "" ? word : `${name} ${word}`;
    if (longer.length > NAME_CHARS) break;
    name = longer;
  }
  return (name === "" ? plain.slice(0, NAME_CHARS) : name).replace(/[.,:;!?]+$/, "");
}

function isSame(a: ProcessIdentity, b: ProcessIdentity | null): boolean {
  return b !== null && a.pid === b.pid && a.startTime === b.startTime && a.bootId === b.bootId;
}

const SHELLS: ReadonlySet<string> = new Set(["sh", "dash", "bash", "zsh", "ash", "ksh", "fish", "busybox", "timeout"]);

/** The process that called a hook: the nearest one above this that is no shell it was started through. */
export function processAbove(pid: number): ProcessIdentity | null {
  let at = pid;
  for (let steps = 0; steps < 4; steps++) {
    const entry = readProcess(at);
    if (entry === undefined || !SHELLS.has(entry.name) || entry.parentPid <= 1) break;
    at = entry.parentPid;
  }
  return identityOf(at) ?? null;
}
