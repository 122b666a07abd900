/** Sessions of AI hosts on one store and a disk of memory: each call is answered by a desk of its own, as by a process. */
import { type VirtualClock, virtualClock } from "../../src/clock/virtual-clock.ts";
import type { Config } from "../../src/config/config.ts";
import { withoutFiles } from "../../src/config/without-files.ts";
import { workspaceId } from "../../src/core/names.ts";
import type { SessionStore } from "../../src/core/session-book.ts";
import type { HolderToken } from "../../src/core/token.ts";
import { HookDesk } from "../../src/hooks/desk.ts";
import type { Disk } from "../../src/hooks/files.ts";
import { fingerprintOfContent } from "../../src/hooks/fingerprint.ts";
import type { HookAnswer, HookCall, HookEvent, HookTool } from "../../src/hooks/hook-call.ts";
import { ownIdentity } from "../../src/process/identity.ts";
import { openMemoryStore } from "../../src/stores/memory/memory-store.ts";

export interface HookWorld {
  readonly clock: VirtualClock;
  readonly store: SessionStore;
  /** Content by absolute path. */
  readonly files: Map<string, string>;
  readonly config: { -readonly [Key in keyof Config]: Config[Key] };
  session(name: string, options?: { readonly inside?: HolderToken; readonly subagent?: string }): TestSession;
}

export interface TestSession {
  /** Answers when the hook does. */
  call(event: HookEvent, tool: HookTool, paths?: readonly string[], over?: Partial<HookCall>): Promise<HookAnswer>;
}

export function hookWorld(
  options: { readonly clock?: VirtualClock; readonly store?: SessionStore; readonly config?: Partial<Config> } = {},
): HookWorld {
  const clock = options.clock ?? virtualClock();
  const store = options.store ?? openMemoryStore({ clock });
  const files = new Map<string, string>();
  const config = { ...withoutFiles("/shop", { cores: 4, workspace: workspaceId("/shop") }), ...options.config };
  const disk: Disk = {
    nodes: (path) => [`f:${path}`],
    fingerprint: (path) => {
      const content = files.get(path);
      return content === undefined ? { hash: "none", lines: null } : fingerprintOfContent(Buffer.from(content));
    },
  };
  const identity = ownIdentity();
  return {
    clock,
    store,
    files,
    config,
    session: (session, { inside = null, subagent = null } = {}) => ({
      call: (event, tool, paths = [], over = {}) => {
        const desk = new HookDesk({
          store,
          clock,
          disk,
          inside,
          hostProcess: () => identity,
          configFor: async () => config,
          lockyard: () => ["lockyard"],
          home: "/home/ada",
        });
        return desk.decide({
          host: "claude",
          event,
          session,
          subagent,
          cwd: "/shop",
          tool,
          paths,
          command: null,
          prompt: null,
          toolUseId: null,
          asksAfterwards: false,
          input: {},
          hasFailed: false,
          ...over,
        });
      },
    }),
  };
}
