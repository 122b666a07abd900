/** The hosts whose hooks we understand. */
import type { HookAnswer, HookCall, HostName } from "../hook-call.ts";
import { claudeAnswer, claudeCall } from "./claude.ts";
import { codexAnswer, codexCall } from "./codex.ts";
import { geminiAnswer, geminiCall } from "./gemini.ts";
import { opencodeAnswer, opencodeCall } from "./opencode.ts";
import type { Json } from "./reading.ts";

export interface HookHost {
  /** Null for an event that is not ours to judge. `here`: where the session stands when the payload does not say. */
  readonly read: (payload: Json, here: string) => HookCall | null;
  /** What the host reads; null when there is nothing to say. */
  readonly write: (answer: HookAnswer, call: HookCall) => Json | null;
}

const HOSTS: Readonly<Record<HostName, HookHost>> = {
  claude: { read: claudeCall, write: claudeAnswer },
  codex: { read: codexCall, write: codexAnswer },
  gemini: { read: geminiCall, write: geminiAnswer },
  opencode: { read: opencodeCall, write: opencodeAnswer },
};

/** Undefined for a host that is not one of ours. */
export function hookHost(name: string): HookHost | undefined {
  return Object.hasOwn(HOSTS, name) ? HOSTS[name as HostName] : undefined; // an own key
}
