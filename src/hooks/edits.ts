/**
 * Edits of files through a host's own tools.
 *
 *  E1  no edit is let through over a change that its session has not seen: judged before the file is held, and again once it
 *      is, because it may have changed while the hook waited. Held, nobody else's edit is let through
 *  E2  several files of one edit are judged, held and refused together
 *  E3  what an edit left is remembered as seen and written by its session
 */
import { type BookEntry, covers, type FileVersion, HOOKS, type SessionStore, type TaskRow } from "../edges/sessions.ts";
import type { Clock } from "../index.ts";
import { claimsOf, type Disk, type HookFile, shownPath } from "./files.ts";
import type { Fingerprint } from "./fingerprint.ts";
import { type Acquired, type Blocking, type Holds, purposeOf } from "./holds.ts";
import { type HookAnswer, PASS } from "./hook-call.ts";
import { busyText, deadlockText, overwrittenText, type StaleFile, sessionTitle, staleText } from "./messages.ts";
import type { Seat, Sessions } from "./sessions.ts";
import { type Change, changeOf, lastWriteMs, writtenSince } from "./staleness.ts";

export interface EditsOptions {
  readonly store: SessionStore;
  readonly clock: Clock;
  readonly disk: Disk;
  readonly holds: Holds;
  readonly sessions: Sessions;
}

/** Hosts that never tell what they read: their sessions may have seen any file when they began. */
const MUTE: ReadonlySet<string> = new Set(["codex"]);

/** How long a session keeps what it edited. */
export type HoldPolicy = "edit" | "idle" | "turn";

export interface Edit {
  readonly seat: Seat;
  readonly files: readonly HookFile[];
  readonly toolUseId: string | null;
  readonly hold: HoldPolicy;
}

interface Looked {
  readonly file: HookFile;
  /** Null for what cannot be judged by its content. */
  readonly current: Fingerprint | null;
  readonly mine: FileVersion | undefined;
  readonly change: Change | null;
}

export class Edits {
  readonly #options: EditsOptions;

  constructor(options: EditsOptions) {
    this.#options = options;
  }

  async before(edit: Edit): Promise<HookAnswer> {
    const first = await this.#look(edit);
    const stale = first.filter(({ change }) => change !== null);
    if (stale.length > 0) return this.#refuseStale(edit, stale);
    const acquired = await this.#hold(edit);
    if (acquired.type === "busy") return { type: "refuse", reason: await this.#busyReason(edit, acquired) };
    if (acquired.type === "deadlock") return { type: "refuse", reason: deadlockReason(edit, acquired) };
    // Whoever never saw a file has seen it now: it must be the same when the edit begins (E1).
    const baseline = new Map(first.map((looked) => [looked.file.key, looked]));
    const second = await this.#look(edit, baseline);
    const late = second.filter(({ change }) => change !== null);
    if (late.length > 0) {
      await this.#options.holds.release([acquired.row]);
      return this.#refuseStale(edit, late);
    }
    const wallMs = this.#options.clock.wallMs();
    await this.#write(second.flatMap((looked) => this.#version(edit, looked, { seenWallMs: wallMs, isPending: true })));
    return PASS;
  }

  /** The tool has ended. A refusal is what the model is told of it. */
  async after(edit: Edit, hasFailed: boolean): Promise<HookAnswer> {
    const wallMs = this.#options.clock.wallMs();
    const looked = await this.#look(edit);
    const overwritten = hasFailed ? [] : await this.#overwritten(edit, looked);
    await this.#write(
      looked.flatMap((each) => {
        if (hasFailed && each.mine?.isPending !== true) return [];
        const isUnchanged = each.current?.hash === each.mine?.hash;
        const wrote = { wroteHash: each.current?.hash ?? "", wroteWallMs: wallMs };
        const over = { seenWallMs: wallMs, isPending: false, ...(hasFailed || isUnchanged ? {} : wrote) };
        return this.#version(edit, hasFailed ? { ...each, current: null } : each, over);
      }),
    );
    await this.#keep(edit);
    return overwritten.length === 0 ? PASS : { type: "refuse", reason: overwritten.join(" ") };
  }

  /** The session is about to read these files: what it reads is at least what is there now. */
  async read({ seat, files }: Pick<Edit, "seat" | "files">): Promise<void> {
    if (!seat.session.tellsReads) await this.#options.sessions.note(seat, { tellsReads: true });
    const wallMs = this.#options.clock.wallMs();
    const looked = await this.#look({ seat, files });
    await this.#write(
      looked.flatMap((each) => this.#version({ seat }, each, { seenWallMs: wallMs, isPending: false })),
    );
  }

  /** What is there, what this session saw, and whether somebody else was there in between. */
  async #look(
    { seat, files }: Pick<Edit, "seat" | "files">,
    baseline?: ReadonlyMap<string, Looked>,
  ): Promise<readonly Looked[]> {
    const { store, disk } = this.#options;
    const { sessionId, subagent } = seat;
    const prints = files.map((file) => disk.fingerprint(file.path));
    return store.book.look((view) =>
      files.map((file, at): Looked => {
        const current = prints[at] ?? null;
        const mine = view.version(sessionId, subagent, file.key) ?? baselineOf(seat, baseline?.get(file.key));
        const others = () =>
          view.versionsOf(file.key).filter((other) => other.sessionId !== sessionId || other.subagent !== subagent);
        if (current === null || mine?.hash === current.hash) return { file, current, mine, change: null };
        if (mine !== undefined) return { file, current, mine, change: changeOf(current, mine, others()) };
        const change = MUTE.has(seat.session.host) ? writtenSince(current, seat.session, others()) : null;
        return { file, current, mine, change };
      }),
    );
  }

  /** For the edit itself, whatever is held already: it ends with the edit, and nothing else takes it away before. */
  async #hold({ seat, files, toolUseId }: Edit): Promise<Acquired> {
    const { holds, sessions } = this.#options;
    await sessions.join(seat);
    if (seat.subagent !== "") await this.#handDown(seat, files);
    return holds.acquire(seat, {
      claims: claimsOf(files),
      waitMs: HOOKS.editWaitMs,
      leaseMs: HOOKS.idleHoldMs,
      purpose: { toolUseId, isForEdit: true },
    });
  }

  /** What a session only keeps is its subagents' to edit; what it is editing just now is not. */
  async #handDown({ sessionId }: Seat, files: readonly HookFile[]): Promise<void> {
    const { holds } = this.#options;
    const held = await holds.held({ sessionId, subagent: "" });
    await holds.release(held.filter((row) => !purposeOf(row).isForEdit && files.some((file) => isHeldBy(file, row))));
  }

  /** After the edit: hot files are let go, the others are kept for a while. */
  async #keep({ seat, files, toolUseId, hold }: Edit): Promise<void> {
    const { holds, sessions } = this.#options;
    const held = (await holds.held(seat)).filter((row) => files.some((file) => isHeldBy(file, row)));
    const over = held.filter((row) => purposeOf(row).isForEdit && isThisEdit(row, toolUseId));
    const wanted = hold === "edit" ? [] : files.filter(({ isHot }) => !isHot);
    const kept = held.filter((row) => !purposeOf(row).isForEdit && wanted.some((file) => isHeldBy(file, row)));
    const left = wanted.filter((file) => !kept.some((row) => isHeldBy(file, row)));
    const leaseMs = leaseMsOf(hold);
    if (over.length > 0 && left.length > 0) {
      // Granted at once, before anybody who waits for the edit to end: what a holder holds is never in its own way.
      await sessions.join(seat);
      const purpose = { toolUseId: null, isForEdit: false };
      await holds.acquire(seat, { claims: claimsOf(left), waitMs: 0, leaseMs, purpose });
    }
    await holds.goOn({ renewed: kept, leaseMs, released: over });
  }

  /** S4's other side: it was let through, its hold lapsed, somebody else wrote, and then it wrote. */
  async #overwritten({ seat }: Edit, looked: readonly Looked[]): Promise<readonly string[]> {
    return this.#options.store.book.look((view) =>
      looked.flatMap(({ file, mine, current }) => {
        if (mine === undefined || !mine.isPending || current === null) return [];
        const other = view
          .versionsOf(file.key)
          .find(
            (version) =>
              (version.sessionId !== seat.sessionId || version.subagent !== seat.subagent) &&
              version.wroteWallMs > mine.seenWallMs &&
              version.wroteHash !== current.hash,
          );
        if (other === undefined) return [];
        return [overwrittenText(file.shown, nameIn(view.session(other.sessionId)?.name, other, seat))];
      }),
    );
  }

  async #refuseStale({ seat }: Edit, stale: readonly Looked[]): Promise<HookAnswer> {
    const { store, clock } = this.#options;
    const wallMs = clock.wallMs();
    const files = await store.book.look((view) =>
      stale.map(({ file, change }): StaleFile => {
        const by = change?.by ?? null;
        return {
          shown: file.shown,
          lines: change?.lines ?? null,
          by: by === null ? null : nameIn(view.session(by.sessionId)?.name, by, seat),
          agoMs: by === null ? null : wallMs - lastWriteMs(by),
        };
      }),
    );
    // It was told to read again. Who says what it reads will; of whom that is not known, the next edit is its answer.
    if (!seat.session.tellsReads)
      await this.#write(
        stale.flatMap((looked) => this.#version({ seat }, looked, { seenWallMs: wallMs, isPending: false })),
      );
    return { type: "refuse", reason: staleText(files) };
  }

  async #busyReason({ files, seat }: Edit, busy: Extract<Acquired, { type: "busy" }>): Promise<string> {
    const { blocker, waitedMs } = busy;
    const shown = shownOf(blocker?.node ?? "", files);
    if (blocker === null) return busyText({ shown, holder: "somebody", lastEditMs: null, heldMs: 0, waitedMs });
    const lastEditMs = await this.#lastEditMs(blocker, files, seat);
    return busyText({ shown, holder: blocker.label, lastEditMs, heldMs: blocker.heldMs, waitedMs });
  }

  async #lastEditMs({ sessionId }: Blocking, files: readonly HookFile[], seat: Seat): Promise<number | null> {
    if (sessionId === "") return null;
    const wallMs = this.#options.clock.wallMs();
    const times = await this.#options.store.book.look((view) =>
      files.flatMap(({ key }) =>
        view
          .versionsOf(key)
          .filter(
            (other) =>
              other.sessionId === sessionId && (sessionId !== seat.sessionId || other.subagent !== seat.subagent),
          )
          .map(lastWriteMs),
      ),
    );
    const latest = Math.max(-1, ...times);
    return latest < 0 ? null : wallMs - latest;
  }

  #version(
    { seat }: Pick<Edit, "seat">,
    { file, current, mine }: Looked,
    over: Partial<FileVersion>,
  ): readonly FileVersion[] {
    const print = current ?? mine;
    if (print === undefined || print === null) return [];
    return [
      {
        sessionId: seat.sessionId,
        subagent: seat.subagent,
        path: file.key,
        hash: print.hash,
        lines: print.lines,
        seenWallMs: mine?.seenWallMs ?? 0,
        isPending: false,
        wroteHash: mine?.wroteHash ?? "",
        wroteWallMs: mine?.wroteWallMs ?? 0,
        ...over,
      },
    ];
  }

  async #write(versions: readonly FileVersion[]): Promise<void> {
    const entries = versions.map((version): BookEntry => ({ type: "version", version }));
    if (entries.length > 0) await this.#options.store.book.write(entries);
  }
}

/** What it was when the hook began, for a file that its session never saw. */
function baselineOf({ sessionId, subagent }: Seat, looked: Looked | undefined): FileVersion | undefined {
  if (looked === undefined || looked.current === null) return undefined;
  const { hash, lines } = looked.current;
  const path = looked.file.key;
  return { sessionId, subagent, path, hash, lines, seenWallMs: 0, isPending: false, wroteHash: "", wroteWallMs: 0 };
}

/** By all its names: the lexical path and the real one. */
function isHeldBy({ nodes }: HookFile, row: TaskRow): boolean {
  return nodes.every((node) => row.claims.some((claim) => covers(claim.node, node)));
}

function isThisEdit(row: TaskRow, toolUseId: string | null): boolean {
  const other = purposeOf(row).toolUseId;
  return toolUseId === null || other === null || other === toolUseId;
}

function leaseMsOf(hold: HoldPolicy): number {
  return hold === "turn" ? HOOKS.turnHoldMs : HOOKS.idleHoldMs;
}

function nameIn(name: string | undefined, { sessionId, subagent }: FileVersion, seat: Seat): string {
  if (sessionId !== seat.sessionId) return sessionTitle(name ?? "a session that has ended", subagent);
  return subagent === "" ? "this session's main agent" : "a subagent of this session";
}

function shownOf(node: string, files: readonly HookFile[]): string {
  const file = files.find(({ nodes }) => nodes.some((each) => each === node || each.startsWith(`${node}/`)));
  return (file ?? files[0])?.shown ?? "the file";
}

function deadlockReason({ files, seat }: Edit, { others, own }: Extract<Acquired, { type: "deadlock" }>): string {
  const path = (node: string) =>
    files.find(({ nodes }) => nodes.includes(node))?.shown ?? shownPath(node.slice(2), seat.session.root);
  return deadlockText({
    shown: shownOf(others[0]?.node ?? "", files),
    others: others.map(({ label, node }) => ({ holder: label, holds: path(node) })),
    own: own.map(path),
  });
}
