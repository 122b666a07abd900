/** Putting our hooks into a host's settings, taking them out, and saying how they are. */
import { accessSync, constants, existsSync } from "node:fs";
import { join } from "node:path";
import { LockyardError } from "../../edges/basics.ts";
import type { HostName } from "../hook-call.ts";
import { trustedHooks, withWritableRoot, writableRoots } from "./codex-config.ts";
import { type Program, programOf } from "./hook-command.ts";
import { HOSTS, type Scope, type SettingsPlace } from "./host-settings.ts";
import { isPlugin, pluginText, programOfPlugin } from "./opencode-plugin.ts";
import { type Change, readSettings, SettingsFiles } from "./settings-file.ts";
import { commandsIn, type HookWish, hasHooks, withHooks, withoutHooks } from "./settings-text.ts";

export interface InstallPlace extends SettingsPlace {
  /** Where what files were is remembered. */
  readonly state: string;
}

export interface HostStatus {
  readonly host: HostName;
  readonly title: string;
  /** Whether the host's program is on the PATH. */
  readonly isFound: boolean;
  readonly installed: readonly InstalledHooks[];
}

export interface InstalledHooks {
  readonly scope: Scope;
  readonly path: string;
  readonly program: Program | null;
  /**
   * `other`: they start another Lockyard or Node than this one, or are not all there. `untrusted`: the host leaves them out
   * until its user says that they are fine.
   */
  readonly state: "fits" | "other" | "gone" | "untrusted" | "broken";
  /** What is wrong with a broken file. */
  readonly fault?: string;
}

export class HookInstaller {
  readonly #place: InstallPlace;
  readonly #files: SettingsFiles;

  constructor(place: InstallPlace) {
    this.#place = place;
    this.#files = new SettingsFiles(place.state);
  }

  /** What would change; nothing when all is there. Throws INVALID_CONFIG for a file that is broken. */
  install(wish: HookWish, scope: Scope): readonly Change[] {
    const changes = [this.#hooks(wish, scope), ...(wish.host === "codex" && scope === "user" ? this.#sandbox() : [])];
    return changes.filter(({ before, after }) => before !== after);
  }

  #hooks(wish: HookWish, scope: Scope): Change {
    const { host } = wish;
    const path = HOSTS[host].fileFor(scope, this.#place);
    const before = readSettings(path);
    if (HOSTS[host].entries === null) {
      if (before === null || isPlugin(before)) return { path, before, after: pluginText(wish), own: null };
      throw new LockyardError("INVALID_OPTION", `${path} is there and was not written by Lockyard.`, {
        hint: "Move it out of the way, and install again.",
      });
    }
    if (before !== null && hasHooks(before, { wish, file: path })) return { path, before, after: before, own: before };
    const own = this.#own(path, { host, before });
    return { path, before, after: withHooks(own ?? "", { wish, file: path }), own };
  }

  /** As it was when nobody changed it since, else with ours taken out. */
  #own(path: string, { host, before }: { readonly host: HostName; readonly before: string | null }): string | null {
    const own = this.#files.own(path, before);
    if (own !== undefined) return own;
    return before === null ? null : withoutHooks(before, { host, file: path });
  }

  /** The lock table must be writable for commands in the sandbox. */
  #sandbox(): readonly Change[] {
    const path = this.#codexConfig();
    const before = readSettings(path);
    const after = withWritableRoot(before ?? "", this.#place.state);
    return after === null ? [] : [{ path, before, after, own: before }];
  }

  #codexConfig(): string {
    return join(this.#place.env.CODEX_HOME ?? join(this.#place.home, ".codex"), "config.toml");
  }

  /** What a person has to know or do besides. */
  notes(host: HostName): readonly string[] {
    const { notes } = HOSTS[host];
    const config = this.#codexConfig();
    if (host !== "codex" || writableRoots(readSettings(config) ?? "").includes(this.#place.state)) return notes;
    const what = `Commands in the sandbox of Codex may not write the lock table.`;
    return [
      ...notes,
      `${what} In ${config}, add ${JSON.stringify(this.#place.state)} to writable_roots below [sandbox_workspace_write].`,
    ];
  }

  /** What would change, in both scopes. Throws INVALID_CONFIG for a file that is broken. */
  remove(host: HostName): readonly Change[] {
    const { fileFor, entries } = HOSTS[host];
    const paths = new Set([fileFor("user", this.#place), fileFor("project", this.#place)]);
    const changes = [...paths].map((path) => {
      const before = readSettings(path);
      const own = entries === null ? (isPlugin(before ?? "") ? null : before) : this.#own(path, { host, before });
      return { path, before, after: own, own };
    });
    if (host === "codex") {
      const path = this.#codexConfig();
      const before = readSettings(path);
      // What somebody wrote beside our line since stays, and the line with it: it does no harm.
      const own = this.#files.own(path, before);
      const after = own === undefined ? before : own;
      // First, so that a directory made for both files is empty after the other.
      changes.unshift({ path, before, after, own: after });
    }
    return changes.filter(({ before, after }) => before !== after);
  }

  /** Throws INVALID_OPTION when the file cannot be written. */
  apply(change: Change): void {
    this.#files.apply(change);
  }

  status(host: HostName, program: Program): HostStatus {
    const { title, program: name } = HOSTS[host];
    const scopes: readonly Scope[] = ["user", "project"];
    const files = new Map(scopes.map((scope) => [HOSTS[host].fileFor(scope, this.#place), scope]));
    const installed = [...files].flatMap(([path, scope]) => {
      const found = this.#installed({ host, scope, path, program });
      return found === null ? [] : [found];
    });
    return { host, title, isFound: this.#isOnPath(name), installed };
  }

  #installed(asked: {
    readonly host: HostName;
    readonly scope: Scope;
    readonly path: string;
    readonly program: Program;
  }): InstalledHooks | null {
    const { host, scope, path } = asked;
    try {
      const text = readSettings(path);
      const found = text === null ? null : programIn(text, { host, file: path });
      if (text === null || found === null) return null;
      const isThere = existsSync(found.node) && existsSync(found.script);
      const state = !isThere
        ? "gone"
        : !this.#fits(text, asked)
          ? "other"
          : this.#isTrusted(host, path)
            ? "fits"
            : "untrusted";
      return { scope, path, program: found.node === "" ? null : found, state };
    } catch (error) {
      if (!(error instanceof LockyardError)) throw error;
      return { scope, path, program: null, state: "broken", fault: error.message };
    }
  }

  #fits(
    text: string,
    { host, path, program }: { readonly host: HostName; readonly path: string; readonly program: Program },
  ): boolean {
    const ways = (["pass", "refuse"] as const).flatMap((ifGone) => [
      { ifGone, isThroughServer: false },
      { ifGone, isThroughServer: host === "claude" },
    ]);
    return ways.some((way) => {
      const wish = { host, program, ...way };
      return HOSTS[host].entries === null ? text === pluginText(wish) : hasHooks(text, { wish, file: path });
    });
  }

  /** As far as its configuration tells. */
  #isTrusted(host: HostName, path: string): boolean {
    if (host !== "codex") return true;
    return trustedHooks(readSettings(this.#codexConfig()) ?? "", path) >= (HOSTS.codex.entries?.length ?? 0);
  }

  #isOnPath(name: string): boolean {
    const folders = (this.#place.env.PATH ?? "").split(":").filter((folder) => folder.startsWith("/"));
    return folders.some((folder) => {
      try {
        accessSync(join(folder, name), constants.X_OK);
        return true;
      } catch {
        return false;
      }
    });
  }
}

function programIn(text: string, { host, file }: { readonly host: HostName; readonly file: string }): Program | null {
  if (HOSTS[host].entries === null) return isPlugin(text) ? programOfPlugin(text) : null;
  const [command] = commandsIn(text, { host, file });
  return command === undefined ? null : (programOf(command) ?? { node: "", script: "" });
}
