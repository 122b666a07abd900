/** The door for hosts whose hooks call a tool of the session's own server: the same desk, with its store kept open. */
import { isOff } from "../config/store-choice.ts";
import { stateDirectory } from "../edges/basics.ts";
import type { Clock } from "../index.ts";
import { HostedDesk } from "./hosted-desk.ts";
import type { Json } from "./hosts/reading.ts";
import { HookPause } from "./install/pause.ts";
import { processAbove } from "./sessions.ts";

export interface Door {
  /** What Claude Code is to read; null for nothing to say. */
  answer(payload: Json): Promise<Json | null>;
  close(): Promise<void>;
}

export function hookDoor(place: {
  readonly env: Readonly<Record<string, string | undefined>>;
  /** Where a session stands whose payload does not say. */
  readonly cwd: string;
  readonly clock: Clock;
}): Door {
  const desk = new HostedDesk({ ...place, hostProcess: () => processAbove(process.ppid) });
  return {
    answer: async (payload) => {
      const isSilent = isOff(place.env) || new HookPause(stateDirectory(), place.clock).until() !== null;
      return isSilent ? null : await desk.answer("claude", payload);
    },
    close: () => desk.close(),
  };
}
