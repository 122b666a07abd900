/**
 * A desk for payloads as hosts send them: for one call, or for as long as a host lives. It opens the store when it is first
 * asked, and again when that failed.
 *
 *  D1  it answers every payload, and within a bound: what breaks here never breaks the host
 */
import type { Config } from "../config/config.ts";
import { configHere } from "../config/config-here.ts";
import { chooseStore } from "../config/store-choice.ts";
import { LockyardError } from "../edges/basics.ts";
import { HOOKS, type ProcessIdentity, readToken } from "../edges/sessions.ts";
import { openSqliteStore, type SqliteStore } from "../edges/store.ts";
import type { Clock } from "../index.ts";
import { brokenAnswer, type IfBroken } from "./broken.ts";
import { HookDesk } from "./desk.ts";
import { realDisk } from "./files.ts";
import type { HookAnswer, HookCall } from "./hook-call.ts";
import { hookHost } from "./hosts/hosts.ts";
import type { Json } from "./hosts/reading.ts";
import { ownWords } from "./own-words.ts";
import { within } from "./within.ts";

export interface HostedDeskOptions {
  readonly env: Readonly<Record<string, string | undefined>>;
  /** Where a session stands whose payload does not say. */
  readonly cwd: string;
  readonly clock: Clock;
  /** The host's process. */
  readonly hostProcess: () => ProcessIdentity | null;
}

export class HostedDesk {
  readonly #options: HostedDeskOptions;
  /** Read anew for each call: a file may have changed. */
  readonly #configs = new Map<string, Config>();
  #open: Promise<{ readonly store: SqliteStore; readonly desk: HookDesk }> | null = null;

  constructor(options: HostedDeskOptions) {
    this.#options = options;
  }

  /** What the host is to read; null when there is nothing to say. Throws INVALID_OPTION for a host that is none of ours. */
  async answer(name: string, payload: Json): Promise<Json | null> {
    const host = hookHost(name);
    if (host === undefined) {
      const hint = "lockyard hook is started by hosts: see lockyard hooks install";
      throw new LockyardError("INVALID_OPTION", `There is no host "${name}".`, { hint });
    }
    const call = host.read(payload, this.#options.cwd);
    return call === null ? null : host.write(await this.#decide(call), call);
  }

  async close(): Promise<void> {
    const open = this.#open;
    this.#open = null;
    // What could not be opened needs no closing.
    await open?.then(
      ({ store }) => store.close(),
      () => undefined,
    );
  }

  async #decide(call: HookCall): Promise<HookAnswer> {
    const { env, clock } = this.#options;
    let ifBroken: IfBroken = "run";
    try {
      const config = await configHere({ cwd: call.cwd, env });
      ifBroken = config.ifBroken ?? "run";
      if (this.#configs.size >= HOOKS.sessions) this.#configs.clear();
      this.#configs.set(call.cwd, config);
      return await within(boundOf(call), clock, async () => (await this.#opened(call.cwd)).desk.decide(call));
    } catch (error) {
      return brokenAnswer(error, call, ifBroken);
    }
  }

  #opened(cwd: string): Promise<{ readonly store: SqliteStore; readonly desk: HookDesk }> {
    if (this.#open !== null) return this.#open;
    const open = this.#openStore(cwd);
    this.#open = open;
    open.catch(() => {
      if (this.#open === open) this.#open = null;
    });
    return open;
  }

  async #openStore(cwd: string): Promise<{ readonly store: SqliteStore; readonly desk: HookDesk }> {
    const { env, clock, hostProcess } = this.#options;
    const choice = chooseStore(undefined, { env, cwd });
    if (choice.kind === "memory")
      throw new LockyardError("INVALID_OPTION", "LOCKYARD_STORE is memory, which no two hooks can share.");
    const file = choice.file === undefined ? {} : { file: choice.file };
    const store = await openSqliteStore({ clock, ...file, busyLimitMs: HOOKS.answerMs });
    const desk = new HookDesk({
      store,
      clock,
      disk: realDisk(),
      inside: readToken(env),
      hostProcess,
      configFor: async (place) => this.#configs.get(place) ?? (await configHere({ cwd: place, env })),
      lockyard: () => ownWords(env.PATH ?? ""),
      home: env.HOME ?? null,
    });
    return { store, desk };
  }
}

/** Longest a call may keep its host. */
function boundOf({ event, tool }: HookCall): number {
  if (event !== "before") return HOOKS.answerMs;
  if (tool === "shell") return HOOKS.editWaitMs + HOOKS.shellWaitMs + HOOKS.answerMs;
  return tool === "edit" || tool === "write" ? HOOKS.editWaitMs + HOOKS.answerMs : HOOKS.answerMs;
}
