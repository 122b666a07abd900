/**
 * The process that a host starts at each event: `lockyard hook HOST`, the payload on standard input, the answer on standard
 * output. Not for people.
 *
 *  H1  it ends with 0 and within a bound, whatever it was given and whatever is broken: a hook never breaks its host
 *  H2  what cannot be judged passes, and is told the user once a session
 */
import type { Config } from "../config/config.ts";
import { configHere } from "../config/config-here.ts";
import { chooseStore, isOff } from "../config/store-choice.ts";
import { LockyardError, stateDirectory, systemClock } from "../edges/basics.ts";
import { HOOKS, readToken } from "../edges/sessions.ts";
import { openSqliteStore } from "../edges/store.ts";
import type { Clock } from "../index.ts";
import { brokenAnswer, type IfBroken } from "./broken.ts";
import { HookDesk } from "./desk.ts";
import { realDisk } from "./files.ts";
import type { HookAnswer, HookCall } from "./hook-call.ts";
import { hookHost } from "./hosts/hosts.ts";
import { type Json, objectOf } from "./hosts/reading.ts";
import { HookPause } from "./install/pause.ts";
import { ownWords } from "./own-words.ts";
import { processAbove } from "./sessions.ts";

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
  try {
    const host = hookHost(args[0] ?? "");
    if (host === undefined) {
      const hint = "lockyard hook is started by hosts: see lockyard hooks install";
      throw new LockyardError("INVALID_OPTION", `There is no host "${args[0] ?? ""}".`, { hint });
    }
    const payload = await payloadOf(input, clock);
    const call = host.read(payload, cwd);
    if (call !== null) say(host.write(await answerTo(call, { env, clock }), call));
  } catch (error) {
    // Every host shows this line, and reads nothing else out of it.
    say({ systemMessage: `lockyard: this hook was not understood and decides nothing. ${textOf(error)}` });
  }
}

interface Place {
  readonly env: HookProcess["env"];
  readonly clock: Clock;
}

async function answerTo(call: HookCall, { env, clock }: Place): Promise<HookAnswer> {
  let ifBroken: IfBroken = "run";
  try {
    const config = await configHere({ cwd: call.cwd, env });
    ifBroken = config.ifBroken ?? "run";
    return await within(boundOf(call), clock, () => decide(call, config, { env, clock }));
  } catch (error) {
    return brokenAnswer(error, call, ifBroken);
  }
}

async function decide(call: HookCall, config: Config, { env, clock }: Place): Promise<HookAnswer> {
  const choice = chooseStore(undefined, { env, cwd: call.cwd });
  if (choice.kind === "memory")
    throw new LockyardError("INVALID_OPTION", "LOCKYARD_STORE is memory, which no two hooks can share.");
  const file = choice.file === undefined ? {} : { file: choice.file };
  const store = await openSqliteStore({ clock, ...file, busyLimitMs: HOOKS.answerMs });
  try {
    const desk = new HookDesk({
      store,
      clock,
      disk: realDisk(),
      inside: readToken(env),
      hostProcess: () => processAbove(process.ppid),
      configFor: async () => config,
      lockyard: () => ownWords(env.PATH ?? ""),
      home: env.HOME ?? null,
    });
    return await desk.decide(call);
  } finally {
    await store.close();
  }
}

/** Longest a call may keep its host. */
function boundOf({ event, tool }: HookCall): number {
  if (event !== "before") return HOOKS.answerMs;
  if (tool === "shell") return HOOKS.shellWaitMs + HOOKS.answerMs;
  return tool === "edit" || tool === "write" ? HOOKS.editWaitMs + HOOKS.answerMs : HOOKS.answerMs;
}

function within<T>(ms: number, clock: Clock, work: () => Promise<T>): Promise<T> {
  return new Promise((resolve, reject) => {
    const timer = clock.setTimer(ms, () => reject(new Error(`No answer within ${ms.toLocaleString("en")} ms.`)));
    work()
      .then(resolve, reject)
      .finally(() => timer.cancel());
  });
}

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
