/**
 * `lockyard exec`: a command that takes its turn. Own failures end with 125, whatever they are, so that the command's codes
 * stay the command's.
 */

import { chooseStore, isOff } from "../../config/store-choice.ts";
import { claimNames, errorCode, LockyardError, neutralise, systemClock } from "../../edges/basics.ts";
import { memoryError, memoryLimitFault, randomPart, sqliteStore } from "../../edges/run.ts";
import type { Claim } from "../../index.ts";
import { configFor } from "../config-for.ts";
import { runBare } from "../exec/bare.ts";
import { areHard, claimsOf } from "../exec/claims.ts";
import { EXEC_EXIT, endAs } from "../exec/codes.ts";
import { detach } from "../exec/detach.ts";
import { ExecRun, NO_WAIT_MS } from "../exec/exec-run.ts";
import { type ExecVoice, jsonVoice, peopleVoice } from "../exec/exec-voice.ts";
import { fittingNode, runUnder } from "../exec/fitting-node.ts";
import { type KnownHost, knownHost, patienceIn, sessionOf } from "../exec/host.ts";
import { placed } from "../exec/paths.ts";
import { parseTicket } from "../exec/ticket.ts";
import { EXIT } from "../exit-codes.ts";
import type { ExecOptions } from "../program.ts";
import type { Surroundings } from "../surroundings.ts";

export async function execCommand(
  command: readonly string[],
  options: ExecOptions,
  surroundings: Surroundings,
): Promise<number> {
  const { env, err, cwd } = surroundings;
  const argv = checkedCommand(command);
  const clock = systemClock();
  const workflowId = options.id ?? `exec-${randomPart(() => clock.random())}`;
  const voice = options.json === true ? jsonVoice(err, workflowId) : peopleVoice(err);
  const bare = async () => endAs(await runBare({ argv, clock, isNice: false, say: (line) => voice.line(line) }));
  if (isOff(env)) return bare();
  const claims = placed(claimsOf(options), cwd);
  if (options.detach === true) {
    const { store, json = false } = options;
    return detach({ typed: process.argv.slice(2), command, workflowId, store, isJson: json, surroundings });
  }
  const config = await configFor({ cwd, env });
  const choice = chooseStore(options.store, { env, cwd });
  if (choice.kind === "memory") {
    throw new LockyardError(
      "INVALID_OPTION",
      "A memory store is this process's alone: it keeps nobody from anything.",
      {
        hint: "Leave --store and LOCKYARD_STORE out to use yours.",
      },
    );
  }
  // Not after an hour in line.
  const noLimit = options.mem === undefined ? null : memoryLimitFault();
  if (noLimit !== null) throw memoryError(noLimit);
  const host = knownHost(env);
  const file = choice.file === undefined ? {} : { file: choice.file };
  const run = new ExecRun({
    argv,
    claims,
    config,
    clock,
    workflowId,
    cwd,
    host,
    voice,
    store: sqliteStore({ ...file, onNotice: (line) => voice.line(line) }),
    session: sessionOf(env, process.stdin.isTTY),
    isNice: options.nice,
    memoryBytes: options.mem ?? null,
    leftovers: options.leftovers,
    graceMs: options.grace,
    queueTimeoutMs: queueTimeout(options, host),
    ticket: options.ticket === undefined ? null : parseTicket(options.ticket),
    onTicket: options.takeTicket === true ? (text) => leaveTicket(text, surroundings) : null,
  });
  run.check();
  try {
    await run.open();
  } catch (error) {
    return await whenBroken(error, {
      claims,
      options,
      voice,
      bare,
      ifBroken: options.ifBroken ?? config.ifBroken,
      env,
    });
  }
  return endAs(await run.run());
}

/** The process ends here and does not take leave of the store: what it got is the host's now. */
function leaveTicket(text: string, { out }: Surroundings): void {
  out.line(text);
  process.exit(EXIT.ok);
}

function checkedCommand([program, ...rest]: readonly string[]): readonly [string, ...string[]] {
  if (program !== undefined && program !== "") return [program, ...rest];
  throw new LockyardError("INVALID_OPTION", "exec was given no command.", {
    hint: "lockyard exec --use build -- npm test",
  });
}

/** As asked; else a little less than the host allows, so that it hears from us before it gives up; else for ever. */
function queueTimeout({ wait, timeout }: ExecOptions, host: KnownHost | null): number {
  if (!wait) return NO_WAIT_MS;
  if (timeout !== undefined) return timeout;
  return host === null ? 0 : patienceIn(host);
}

interface Broken {
  readonly claims: readonly Claim[];
  readonly options: ExecOptions;
  readonly voice: ExecVoice;
  readonly bare: () => Promise<number>;
  readonly ifBroken: "run" | "fail" | null | undefined;
  readonly env: Surroundings["env"];
}

/** No store: capacities fail open, for they only keep the machine usable; locks fail closed, for they protect work. */
async function whenBroken(error: unknown, { claims, voice, bare, ifBroken, env }: Broken): Promise<number> {
  const code = errorCode(error);
  if (code === "NODE_TOO_OLD") {
    const better = await fittingNode(env);
    const here = `Node ${process.versions.node} cannot share locks between processes (needs 22.23, 24.15 or 26).`;
    if (better !== null) {
      voice.line(`${here} Found v${better.version} in ${better.place}; using it.`);
      return await runUnder(better.program);
    }
    return await openOrClosed(`${here} Fix: nvm install 24.`, code);
  }
  if (code === undefined || !code.startsWith("STORE_")) throw error;
  const { message, hint } = error as LockyardError; // has one of our codes
  const place = Object.keys(env).some((name) => name.startsWith("CODEX_")) ? " (Codex sandbox?)" : "";
  return await openOrClosed(`${message}${place}${hint === undefined ? "" : ` ${hint}`}`, code);

  async function openOrClosed(what: string, why: string): Promise<number> {
    const policy = ifBroken ?? (areHard(claims) ? "fail" : "run");
    if (policy === "run") {
      voice.line(`${neutralise(what)} Running without ${claims.length === 0 ? "Lockyard" : claimNames(claims)}.`);
      return await bare();
    }
    voice.line(
      `error ${why}: ${what} Nothing was started, because ${claimNames(claims)} could not be locked. To run all the same: --if-broken run`,
    );
    return EXEC_EXIT.broken;
  }
}
