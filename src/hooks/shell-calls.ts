/**
 * Shell commands of a session: what they would throw away, what they plainly write, and what has to take its turn first. A
 * command that is not surely understood is left alone.
 */
import { existsSync, statSync } from "node:fs";
import type { Config } from "../config/config.ts";
import { claimNames } from "../edges/basics.ts";
import {
  declareCommands,
  realRoot,
  resolveClaims,
  resolveContext,
  TICKET_AGENT,
  TICKET_MS,
  ticketText,
  workspaceId,
} from "../edges/claims.ts";
import { HOOKS, type NewRow, randomPart, type SessionStore, shortHash, type TaskRow } from "../edges/sessions.ts";
import type { Clock } from "../index.ts";
import { gitRefusal } from "./guard/git-guard.ts";
import { liveSessions } from "./guard/live-sessions.ts";
import { realGit } from "./guard/uncommitted.ts";
import type { Holds } from "./holds.ts";
import { type HookAnswer, type HookCall, type HostName, PASS } from "./hook-call.ts";
import { endTurns, turnId, turnsOf } from "./kept-turns.ts";
import { deadlockWaitText, stillInLineText, takeTurnText } from "./messages.ts";
import type { Seat, Sessions } from "./sessions.ts";
import { gitOf } from "./shell/git.ts";
import { readShell, type ShellReading } from "./shell/read-shell.ts";
import { type Wrap, wrapOf } from "./shell/wrap.ts";
import { type ShellWrite, writesOf } from "./shell/writes.ts";

/** Hosts that run another command than the model wrote without our allowing it for the user. */
const REWRITES: Readonly<Record<HostName, boolean>> = { claude: true, codex: false, gemini: true, opencode: true };

export interface ShellOptions {
  readonly store: SessionStore;
  readonly clock: Clock;
  readonly holds: Holds;
  readonly sessions: Sessions;
  /** The words that start us, for a command line: `lockyard`. */
  readonly lockyard: () => readonly string[];
}

/** What is known of one shell call. */
export interface ShellCall {
  readonly call: HookCall;
  readonly seat: Seat;
  readonly config: Config;
  readonly reading: ShellReading;
}

/** Null for a command that nobody can be sure of. */
export function readCommand({ command, cwd }: HookCall, home: string | null): ShellReading | null {
  return command === null ? null : readShell(command, { cwd, home });
}

/** Refuses to throw away what another session has not committed. */
export async function guardGit(
  { seat, config, reading }: ShellCall,
  { store, clock }: ShellOptions,
): Promise<HookAnswer> {
  const discards = config.gitGuard ? gitOf(reading) : [];
  if (discards.length === 0) return PASS;
  const { sessionId } = seat;
  const reason = await gitRefusal(discards, { book: store.book, git: realGit, sessionId, isLive: liveSessions(clock) });
  return reason === null ? PASS : { type: "refuse", reason };
}

/** Files that a command plainly writes, as edits. */
export function plainWrites(reading: ShellReading): readonly ShellWrite[] {
  return writesOf(reading, {
    isDirectory: (path) => existsSync(path) && statSync(path).isDirectory(),
  });
}

/** Waits for its turn, if it has to take one, and lets it run under a ticket. */
export async function takeTurn(shell: ShellCall, options: ShellOptions): Promise<HookAnswer> {
  const { call, config, reading } = shell;
  const wrap = wrapOf(reading, { rules: config.rules, root: config.root });
  if (wrap === null) return PASS;
  if (!REWRITES[call.host]) return { type: "refuse", reason: takeTurnText(wrap.rewrite(options.lockyard(), null)) };
  if (call.asksAfterwards) await endTurns(options.store, shell.seat, null);
  const granted = await waitForTurn(wrap, shell, options);
  if (typeof granted === "string") return { type: "refuse", reason: granted };
  if (keepsTurn(call)) return PASS;
  return {
    type: "rewrite",
    input: { ...call.input, command: wrap.rewrite(options.lockyard(), ticketText(granted)) },
    note: null,
  };
}

/** One that goes on in the background has ended for its host at once: there only a ticket tells how long it runs. */
function keepsTurn({ asksAfterwards, input }: HookCall): boolean {
  return asksAfterwards && input.run_in_background !== true;
}

/** The ticket's row, or why there is none. */
async function waitForTurn(wrap: Wrap, shell: ShellCall, options: ShellOptions): Promise<TaskRow | string> {
  const { call, seat, config } = shell;
  const { store, clock, holds, sessions } = options;
  await sessions.join(seat);
  const parent = await holds.holderRow(seat);
  const root = realRoot(config.root);
  const context = resolveContext({ root, workspace: workspaceId(root), declared: config.inForce });
  const { claims } = resolveClaims(wrap.claims, context);
  const fresh = () => randomPart(() => clock.random());
  const isKept = keepsTurn(call);
  const row: NewRow = {
    workflowId: isKept ? turnsOf(seat) : `exec-${fresh()}`,
    taskId: isKept ? turnId(call.toolUseId, fresh) : idFrom(wrap.label),
    again: isKept,
    agentId: TICKET_AGENT,
    ownerId: seat.sessionId,
    kind: "task",
    wants: "locks",
    parentKey: parent.key,
    // What the session holds itself is not in the way of its own command.
    ancestors: [parent.key, ...parent.ancestors],
    holder: "guest",
    status: "waiting",
    rank: clock.nowMs(),
    claims,
    limits: [],
    queueTimeoutMs: HOOKS.shellWaitMs,
    leaseMs: isKept ? HOOKS.shellRunMs : TICKET_MS,
    orphan: "vanish",
    placeKey: shortHash(JSON.stringify([seat.sessionId, seat.cwd, wrap.label, claims.map(({ node }) => node)])),
    label: `${seat.label}: ${wrap.label}`.slice(0, 200),
    payload: null,
  };
  const declare = declareCommands(config.inForce.values(), seat.sessionId);
  const effects = await store.turn([...declare, { type: "submit", row }]);
  const refused = effects.find((effect) => effect.type === "refused" && effect.index === declare.length);
  if (refused?.type === "refused") {
    if (refused.code === "DEADLOCK") return deadlockWaitText(refused.message);
    throw Object.assign(new Error(refused.message), { code: refused.code });
  }
  const granted = await holds.wait(row, clock.nowMs() + HOOKS.shellWaitMs);
  return granted ?? stillInLineText(claimNames(wrap.claims), HOOKS.shellWaitMs);
}

/** `npm-test`, as `exec` calls its tasks. */
function idFrom(label: string): string {
  const id = label
    .slice(0, 40)
    .replaceAll(/[^\w.:-]+/g, "-")
    .replaceAll(/^[-.:]+|[-.:]+$/g, "");
  return id === "" ? "command" : id;
}
