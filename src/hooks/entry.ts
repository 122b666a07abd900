/**
 * The process that a host starts at each event: `lockyard hook HOST`, the payload on standard input, the answer on standard
 * output. Not for people.
 *
 *  H1  it ends with 0 and within a bound, whatever it was given and whatever is broken: a hook never breaks its host
 *  H2  what cannot be judged passes, and is told the user once a session
 */
import { isOff } from "../config/store-choice.ts";
import { stateDirectory, systemClock } from "../edges/basics.ts";
import { HOOKS } from "../edges/sessions.ts";
import type { Clock } from "../index.ts";
import { HostedDesk } from "./hosted-desk.ts";
import { type Json, objectOf } from "./hosts/reading.ts";
import { HookPause } from "./install/pause.ts";
import { processAbove } from "./sessions.ts";
import { within } from "./within.ts";

export interface HookProcess {
  readonly args: readonly string[];
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly cwd: string;
  readonly input: AsyncIterable<Uint8Array>;
  readonly write: (text: string) => void;
}

/** Resolves when the host has been answered. Never rejects. */
export async function runHook({ args, env, cwd, input, write }: HookProcess): Promise<void> {
  const clock = systemClock();
  if (isOff(env) || new HookPause(stateDirectory(), clock).until() !== null) return;
  const say = (answer: Json | null) => {
    if (answer !== null) write(`${JSON.stringify(answer)}\n`);
  };
  const desk = new HostedDesk({ env, cwd, clock, hostProcess: () => processAbove(process.ppid) });
  try {
    say(await desk.answer(args[0] ?? "", await payloadOf(input, clock)));
  } catch (error) {
    // Every host shows this line, and reads nothing else out of it.
    say({ systemMessage: `lockyard: this hook was not understood and decides nothing. ${textOf(error)}` });
  }
  // What was given up on may still be at work: the process ends all the same.
  await within(CLOSE_MS, clock, () => desk.close()).catch(() => undefined);
}

/** A store is closed in a moment, or not at all. */
const CLOSE_MS = 1_000;

async function payloadOf(input: HookProcess["input"], clock: Clock): Promise<Json> {
  const text = await within(HOOKS.answerMs, clock, () => textIn(input));
  const payload: unknown = JSON.parse(text);
  if (typeof payload !== "object" || payload === null || Array.isArray(payload)) throw new Error("It is no object.");
  return objectOf(payload);
}

async function textIn(input: HookProcess["input"]): Promise<string> {
  const chunks: Uint8Array[] = [];
  let bytes = 0;
  for await (const chunk of input) {
    bytes += chunk.length;
    if (bytes > HOOKS.payloadBytes)
      throw new Error(`It has more than ${HOOKS.payloadBytes.toLocaleString("en")} bytes.`);
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString("utf8");
}

function textOf(error: unknown): string {
  const message = error instanceof Error ? error.message : String(error);
  return message.replace(/\s+/g, " ").slice(0, 200);
}
