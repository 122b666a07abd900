/**
 * One `exec` on a store that works: stands in line, says what it waits for, runs the command, ends with its code.
 *
 *  E1 the command starts only after everything claimed was granted, and its locks go only after it has ended
 *  E2 whoever leaves before it started (a signal, a time-out) leaves nothing running and nothing locked; its place is kept
 */
import type { Config } from "../../config/config.ts";
import { claimNames, IsoTimes, LockyardError } from "../../edges/basics.ts";
import {
  type Exit,
  execAgent,
  explain,
  type ForegroundChild,
  type HolderToken,
  ordinal,
  SHARED_DAEMONS,
  shortHash,
  TICKET_AGENT,
} from "../../edges/run.ts";
import { openSqliteStore } from "../../edges/store.ts";
import type { AgentResult, Claim, Clock, StoreDescriptor } from "../../index.ts";
import { duration } from "../terminal/duration.ts";
import { codeOfExit, codeOfSignal, codeOfSpawnFailure, EXEC_EXIT } from "./codes.ts";
import { EXEC_AGENT, ExecManager } from "./exec-manager.ts";
import type { ExecVoice } from "./exec-voice.ts";
import type { KnownHost } from "./host.ts";
import { groupFor, Signals, terminalStreams } from "./signals.ts";
import { giveBack, ticketAgent } from "./ticket.ts";
import { WaitLine, type WaitLook } from "./wait-line.ts";

export interface ExecRunOptions {
  readonly argv: readonly [string, ...string[]];
  readonly claims: readonly Claim[];
  readonly config: Config;
  readonly store: StoreDescriptor;
  readonly clock: Clock;
  readonly workflowId: string;
  readonly cwd: string;
  readonly host: KnownHost | null;
  readonly session: string;
  readonly isNice: boolean;
  readonly memoryBytes: number | null;
  readonly leftovers: "keep" | "wait" | "kill";
  readonly graceMs: number;
  /** Milliseconds to stand in line; 0 for ever. */
  readonly queueTimeoutMs: number;
  readonly voice: ExecVoice;
  readonly ticket: HolderToken | null;
  /** Takes a ticket instead of running the command, and ends the process once it has one. */
  readonly onTicket: ((text: string) => void) | null;
}

export class ExecRun {
  readonly #options: ExecRunOptions;
  readonly #manager: ExecManager;
  readonly #taskId: string;
  readonly #signals = new Signals((signal) => this.#leave(signal));
  readonly #waiting: WaitLine;
  readonly #group = groupFor(terminalStreams());
  #askedAtMs = 0;
  /** Where it stood when last looked at, for the sentence that it gives up with. */
  #place = "";
  #exit: Exit | null = null;
  #spawnFailure: unknown = null;
  #leftBy: NodeJS.Signals | null = null;
  #cancel: (() => void) | null = null;

  constructor(options: ExecRunOptions) {
    this.#options = options;
    const { argv, clock, workflowId, config, store, graceMs, host } = options;
    const commandText = shortText(argv);
    this.#taskId = taskIdOf(argv);
    this.#manager = new ExecManager({
      workflowId,
      config,
      store,
      clock,
      graceMs,
      commandText,
      ticket: options.ticket,
      isTicket: options.onTicket !== null,
      agent: options.onTicket === null ? this.#agent() : ticketAgent(options.onTicket),
      label: `"${commandText}" (${host === null ? "" : `${host.name}, `}pid ${process.pid})`,
      placeKey: placeKeyOf(options),
    });
    this.#waiting = new WaitLine({ clock, look: () => this.#look(), say: (look) => options.voice.waits(look) });
  }

  /** Throws what is wrong with the claims, as they were typed. */
  check(): void {
    const { claims } = this.#options;
    for (const claim of claims) {
      try {
        this.#manager.parts.resolveClaims([claim]);
      } catch (error) {
        throw asTyped(error, claim);
      }
    }
  }

  /** Opens the store; throws what is wrong with it before anything else happens. */
  async open(): Promise<void> {
    await this.#manager.view(() => undefined);
  }

  async run(): Promise<number> {
    const { clock, claims, argv, queueTimeoutMs, voice } = this.#options;
    this.#signals.listen();
    try {
      this.#askedAtMs = clock.nowMs();
      const handle = this.#manager.submit({
        agentId: this.#options.onTicket === null ? EXEC_AGENT : TICKET_AGENT,
        taskType: "exec",
        description: shortText(argv),
        taskId: this.#taskId,
        claims,
        ...(queueTimeoutMs > 0 ? { queueTimeoutMs } : {}),
      });
      this.#cancel = () => {
        handle.cancel().catch(() => undefined);
      };
      this.#waiting.start();
      const result = await handle.result;
      this.#waiting.stop();
      const code = this.#codeOf(result);
      voice.finished(result, code);
      return code;
    } finally {
      this.#waiting.stop();
      this.#signals.close();
      await this.#manager.close();
    }
  }

  #agent() {
    const { argv, isNice, memoryBytes, leftovers, graceMs, config } = this.#options;
    const agent = execAgent({
      argv,
      group: this.#group,
      isNice,
      memoryBytes,
      leftovers,
      keepList: [...SHARED_DAEMONS, ...config.keep],
      graceMs,
      onStarted: (child) => this.#started(child),
      onExit: (exit) => {
        this.#exit = exit;
      },
    });
    return {
      ...agent,
      run: async (...given: Parameters<typeof agent.run>) => {
        try {
          return await agent.run(...given);
        } catch (error) {
          if (this.#exit === null) this.#spawnFailure = error;
          throw error;
        }
      },
    };
  }

  #started(child: ForegroundChild): void {
    const { clock, claims, voice } = this.#options;
    this.#waiting.stop();
    this.#signals.passTo({ group: this.#group, signal: child.signal });
    this.#giveTicketBack();
    voice.started({
      pid: child.process.pid,
      what: claimNames(claims),
      waitedMs: clock.nowMs() - this.#askedAtMs,
      hasSpoken: this.#waiting.hasSpoken,
    });
  }

  /** What the ticket held is ours by now. If that cannot be said, it lapses by itself. */
  #giveTicketBack(): void {
    const { ticket, clock } = this.#options;
    const file = this.#manager.store?.location;
    if (ticket === null || file === undefined) return;
    openSqliteStore({ clock, file })
      .then(async (store) => {
        await giveBack(store, ticket, new IsoTimes(clock).text(clock.nowMs()));
        await store.close();
      })
      .catch(() => undefined);
  }

  #leave(signal: NodeJS.Signals): void {
    this.#leftBy ??= signal;
    this.#cancel?.();
  }

  async #look(): Promise<WaitLook | null> {
    const { clock, config, workflowId } = this.#options;
    return await this.#manager.view((view) => {
      const row = view.task(workflowId, this.#taskId);
      if (row?.status !== "waiting") return null;
      const { reason, hint, position, blockedBy, estimatedStartMs } = explain(view, row, {
        nowMs: clock.nowMs(),
        root: config.root,
        typicalMs: (holder) => view.typicalRunMs(holder),
      });
      const estimate = estimatedStartMs === null ? "" : `, about ${duration(estimatedStartMs)}`;
      this.#place = position > 0 ? ` (${ordinal(position)} now${estimate})` : "";
      return {
        sentence: hint === null ? reason : `${reason} ${hint}`,
        state: `${position} ${row.watch} ${blockedBy.map(({ workflowId: id, taskId }) => `${id}/${taskId}`).join(" ")}`,
      };
    });
  }

  #notAdmitted(what: string, waited: string): string {
    const { host, queueTimeoutMs } = this.#options;
    const again = "Your place is kept for 3 minutes: run exactly the same command again.";
    const why = `See: lockyard why ${what.split(", ")[0]}`;
    if (queueTimeoutMs <= NO_WAIT_MS) return `not now: ${what} is in use. ${again} ${why}`;
    if (host === null) return `gave up after ${waited} in line for ${what}${this.#place}. ${again} ${why}`;
    return `still in line for ${what} after ${waited}${this.#place}. ${again} Do not start it another way; nothing hangs.`;
  }

  #codeOf(result: AgentResult): number {
    const { voice, clock, claims } = this.#options;
    const what = claimNames(claims);
    const waited = duration(clock.nowMs() - this.#askedAtMs);
    if (this.#exit !== null) {
      const isStopped = !result.success && result.error.code === "NOT_STOPPED";
      if (isStopped) voice.line(result.errorMessage);
      return codeOfExit(this.#exit);
    }
    if (this.#leftBy !== null) return codeOfSignal(this.#leftBy);
    const code = result.success ? "" : result.error.code;
    switch (code) {
      case "QUEUE_TIMEOUT":
        voice.notAdmitted(this.#notAdmitted(what, waited));
        return EXEC_EXIT.notAdmitted;
      case "SPAWN_FAILED":
        voice.line(result.errorMessage ?? "");
        return codeOfSpawnFailure(this.#spawnFailure);
      case "CANCELLED":
        voice.line("stopped by `lockyard cancel`.");
        return codeOfSignal("SIGTERM");
      default:
        voice.failed(result);
        return EXEC_EXIT.broken;
    }
  }
}

/** One claim's fault, with the flag instead of a place in a list. */
function asTyped(error: unknown, claim: Claim): unknown {
  if (!(error instanceof LockyardError)) return error;
  const [fault] = error.faults;
  if (fault === undefined) return error;
  const flag = "lock" in claim && claim.mode === "shared" ? "shared" : (Object.keys(claim)[0] ?? "");
  const hint = fault.hint?.replace(/: lock (?=\S+$)/, ": --lock ");
  return new LockyardError(error.code, `--${flag} ${claimNames([claim])}: ${fault.what}.`, { hint, cause: error });
}

/** Stands for `--no-wait`: granted in the very turn it asks, or not at all. */
export const NO_WAIT_MS = 1;

const SHOWN = 60;

/** `npm test`, cut where it gets long. */
export function shortText(argv: readonly string[]): string {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what must not be shown
  const text = argv.join(" ").replaceAll(/[\u0000-\u001f\u007f-\u009f\s]+/g, " ");
  return text.length > SHOWN ? `${text.slice(0, SHOWN - 1)}…` : text;
}

/** `npm-test`: what it is, as an id that can be typed. */
function taskIdOf([program, first]: readonly string[]): string {
  const name = (program ?? "").split("/").at(-1) ?? "";
  const words = [name, first !== undefined && /^[a-z][\w:.-]{0,20}$/i.test(first) ? first : ""];
  const id = words
    .join("-")
    .replaceAll(/[^\w.:-]+/g, "-")
    .replaceAll(/^[-.:]+|[-.:]+$/g, "")
    .slice(0, 40);
  return id === "" ? "command" : id;
}

/** L13: the same session, directory, command and claims. */
function placeKeyOf({ session, cwd, argv, claims }: ExecRunOptions): string {
  // Loading a real hash costs more than all else that is done here, and two that meet only share a place.
  return shortHash(JSON.stringify([session, cwd, argv, claims]));
}
