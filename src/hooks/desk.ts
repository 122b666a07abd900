/**
 * The desk that every hook call comes to, in a process of its own or inside one that lives long.
 *
 *  D1  it answers every call, and within a bound: what breaks here never breaks the host
 *  D2  it never allows: it refuses, rewrites, or has nothing to say
 *  D3  it keeps no state of its own: several desks, in several processes, may speak for one session
 */
import type { Config } from "../config/config.ts";
import type { HolderToken, ProcessIdentity, SessionStore } from "../edges/sessions.ts";
import { HOOKS } from "../edges/sessions.ts";
import type { Clock } from "../index.ts";
import { Edits } from "./edits.ts";
import { type Disk, HOT_FILES, type HookFile, hookFile } from "./files.ts";
import { Holds } from "./holds.ts";
import { type HookAnswer, type HookCall, PASS } from "./hook-call.ts";
import { overlapNote } from "./overlaps.ts";
import { type Seat, Sessions } from "./sessions.ts";

export interface DeskOptions {
  readonly store: SessionStore;
  readonly clock: Clock;
  readonly disk: Disk;
  readonly hostProcess: () => ProcessIdentity | null;
  readonly inside: HolderToken | null;
  readonly configFor: (cwd: string) => Promise<Config>;
  /** The words that start us in a command line. */
  readonly lockyard: () => readonly string[];
  /** The user's home directory, where it is known. */
  readonly home: string | null;
}

export class HookDesk {
  readonly #options: DeskOptions;
  readonly #holds: Holds;
  readonly #sessions: Sessions;
  readonly #edits: Edits;

  constructor(options: DeskOptions) {
    const { store, clock, disk, hostProcess, inside } = options;
    this.#options = options;
    this.#holds = new Holds({ store, clock });
    this.#sessions = new Sessions({ store, clock, hostProcess, inside });
    this.#edits = new Edits({ store, clock, disk, holds: this.#holds, sessions: this.#sessions });
  }

  /** Rejects when the store does not work. */
  async decide(call: HookCall): Promise<HookAnswer> {
    switch (call.event) {
      case "before":
      case "after":
        return this.#tool(call);
      case "session-start":
        return this.#sessionStart(call);
      case "turn-start":
        return this.#turnStart(call);
      case "turn-end":
        return this.#turnEnd(call);
      case "session-end":
        return this.#sessionEnd(call);
    }
  }

  async #tool(call: HookCall): Promise<HookAnswer> {
    const { tool, event, paths, toolUseId, cwd } = call;
    if (tool === "shell") return event === "before" ? this.#shell(call) : this.#shellEnded(call);
    // Told afterwards, a read may have been of what was there before somebody wrote: only the hook before it counts.
    if (tool === "other" || paths.length === 0 || (tool === "read" && event === "after")) return PASS;
    const seat = await this.#sessions.seat(call);
    const config = await this.#options.configFor(cwd);
    const files = this.#files(seat, paths, config);
    if (tool === "read") {
      await this.#edits.read({ seat, files });
      return PASS;
    }
    const edit = { seat, files, toolUseId, hold: config.hold ?? "idle" };
    if (event === "after") return this.#edits.after(edit, call.hasFailed);
    const answer = await this.#edits.before(edit);
    if (answer.type !== "pass") return answer;
    return { type: "pass", note: await overlapNote({ ...this.#options, seat, files }) };
  }

  async #shell(call: HookCall): Promise<HookAnswer> {
    let seat = await this.#sessions.seat(call);
    const wallMs = this.#options.clock.wallMs();
    if (seat.session.shellWallMs === 0) seat = await this.#sessions.note(seat, { shellWallMs: wallMs });
    const { guardGit, plainWrites, readCommand, takeTurn } = await import("./shell-calls.ts");
    const reading = readCommand(call, this.#options.home);
    if (reading === null) return PASS;
    const config = await this.#options.configFor(call.cwd);
    const options = { ...this.#options, holds: this.#holds, sessions: this.#sessions };
    const guarded = await guardGit({ call, seat, config, reading }, options);
    if (guarded.type !== "pass") return guarded;
    const written = plainWrites(reading).map(({ path }) => path);
    if (written.length > 0) {
      const files = this.#files(seat, written, config);
      const edit = { seat, files, toolUseId: call.toolUseId, hold: config.hold ?? "idle" };
      const answer = await this.#edits.before(edit);
      if (answer.type !== "pass") return answer;
    }
    return takeTurn({ call, seat, config, reading }, options);
  }

  async #shellEnded(call: HookCall): Promise<HookAnswer> {
    if (!call.asksAfterwards) return PASS;
    const seat = await this.#sessions.seat(call);
    const { endTurns } = await import("./kept-turns.ts");
    await endTurns(this.#options.store, seat, call.toolUseId);
    return PASS;
  }

  #files(seat: Seat, paths: readonly string[], config: Config): readonly HookFile[] {
    const place = { disk: this.#options.disk, root: seat.session.root, hotFiles: [...HOT_FILES, ...config.hotFiles] };
    return paths.map((path) => hookFile(path, place));
  }

  async #sessionStart(call: HookCall): Promise<HookAnswer> {
    await this.#sessions.seat(call);
    const seenBeforeWallMs = this.#options.clock.wallMs() - HOOKS.sessionKeptMs;
    await this.#options.store.book.write([{ type: "forget-sessions", seenBeforeWallMs }]);
    return PASS;
  }

  async #turnStart(call: HookCall): Promise<HookAnswer> {
    const seat = await this.#sessions.seat(call);
    await this.#sessions.note(seat, { turnWallMs: this.#options.clock.wallMs(), shellWallMs: 0 });
    return PASS;
  }

  async #turnEnd(call: HookCall): Promise<HookAnswer> {
    const seat = await this.#sessions.seat(call);
    await this.#holds.end(seat);
    if (call.asksAfterwards) await (await import("./kept-turns.ts")).endTurns(this.#options.store, seat, null);
    if (seat.subagent !== "") return PASS;
    const { session } = seat;
    await this.#sessions.note(seat, { turnWallMs: 0, shellWallMs: 0 });
    if (session.shellWallMs === 0) return PASS;
    const { turnReport } = await import("./turn-report.ts");
    return { type: "pass", note: await turnReport({ ...this.#options, session }) };
  }

  async #sessionEnd(call: HookCall): Promise<HookAnswer> {
    const seat = await this.#sessions.seat(call);
    await this.#sessions.note(seat, { hasEnded: true, turnWallMs: 0 });
    await this.#options.store.turn([{ type: "owner-leave", ownerId: seat.sessionId }]);
    return PASS;
  }
}
