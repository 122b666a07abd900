/**
 * Locks that a host takes for itself. One guest stands for the host; what it takes, it takes inside of that guest, so that
 * two hosts which wait for each other are told at once. What nobody renews goes after ten minutes: by a timer here, and by
 * the lease of the guest when this process hangs.
 */
import { posix } from "node:path";
import type { Config } from "../../config/config.ts";
import { BOUNDS, errorCode, IsoTimes, LockyardError } from "../../edges/basics.ts";
import { type HolderToken, randomPart, readToken } from "../../edges/run.ts";
import type { Agent, AgentContext, Claim, Clock, HeldLocks, StoreDescriptor, Timer } from "../../index.ts";
import type { HeldByHost, LockRequest } from "../../mcp/desk.ts";
import { SessionManager } from "./session-manager.ts";

/** Milliseconds a host may hold without a word. */
const LEASE_MS = 600_000;
const AGENT = "host";
/** What is free now is granted in a turn or two. */
const AT_ONCE_MS = 250;

export interface HostLocksOptions {
  readonly clock: Clock;
  /** Absolute: what paths are relative to. */
  readonly cwd: string;
  readonly setting: () => Promise<{ readonly config: Config; readonly store: StoreDescriptor }>;
}

interface Held {
  readonly locks: HeldLocks;
  untilMs: number;
  timer: Timer;
}

/** The guest that stands for the host, while it holds something. */
interface Guest {
  readonly manager: SessionManager;
  readonly ctx: AgentContext;
  readonly token: HolderToken;
  leave(): void;
}

export class HostLocks {
  readonly #options: HostLocksOptions;
  readonly #held = new Map<string, Held>();
  #guest: Promise<Guest> | null = null;
  #token: HolderToken | null = null;

  constructor(options: HostLocksOptions) {
    this.#options = options;
  }

  /** What the host's tasks run inside of; null while it holds nothing. */
  get inside(): HolderToken | null {
    return this.#held.size === 0 ? null : this.#token;
  }

  /** Null when it was not free in time. Throws DEADLOCK, INVALID_CLAIM … */
  async lock(
    request: LockRequest,
    { waitMs, client }: { readonly waitMs: number; readonly client: string },
  ): Promise<HeldByHost | null> {
    const claims = this.#claimsOf(request);
    if (this.#held.size >= BOUNDS.locksPerHost) {
      throw new LockyardError(
        "LIMIT_EXCEEDED",
        `${this.#held.size} locks are held and the limit is ${BOUNDS.locksPerHost}.`,
        { hint: "Call release_locks." },
      );
    }
    this.#guest ??= this.#enter(client);
    const guest = await this.#guest.catch((error) => {
      this.#guest = null;
      throw error;
    });
    try {
      const locks = await guest.ctx.lock(claims, { queueTimeoutMs: Math.max(AT_ONCE_MS, waitMs) });
      const { clock } = this.#options;
      const id = `lock-${randomPart(() => clock.random())}`;
      this.#held.set(id, { locks, untilMs: 0, timer: clock.setTimer(0, () => undefined) });
      return this.#keep(id, guest);
    } catch (error) {
      if (errorCode(error) === "QUEUE_TIMEOUT") return null;
      throw error;
    }
  }

  async renew(id: string): Promise<HeldByHost> {
    const guest = await this.#guest;
    if (guest === null || !this.#held.has(id)) throw unknown(id);
    return this.#keep(id, guest);
  }

  async release(id: string): Promise<void> {
    const held = this.#held.get(id);
    if (held === undefined) throw unknown(id);
    this.#held.delete(id);
    held.timer.cancel();
    await held.locks.release();
  }

  async close(): Promise<void> {
    const guest = await this.#guest?.catch(() => null);
    for (const { timer } of this.#held.values()) timer.cancel();
    this.#held.clear();
    guest?.leave();
    await guest?.manager.close();
  }

  #keep(id: string, guest: Guest): HeldByHost {
    const held = this.#held.get(id);
    if (held === undefined) throw unknown(id);
    const { clock } = this.#options;
    held.timer.cancel();
    held.untilMs = clock.nowMs() + LEASE_MS;
    held.timer = clock.setTimer(LEASE_MS, () => void this.release(id).catch(() => undefined), { background: true });
    guest.manager.renewLease(guest.token, LEASE_MS);
    return { id, resources: held.locks.resources, until: new IsoTimes(clock).text(held.untilMs) };
  }

  async #enter(client: string): Promise<Guest> {
    const { clock, setting } = this.#options;
    const { config, store } = await setting();
    let leave: () => void = () => undefined;
    let enter: (ctx: AgentContext) => void = () => undefined;
    const entered = new Promise<AgentContext>((resolve) => {
      enter = resolve;
    });
    const agent: Agent = {
      kind: "guest",
      holder: "guest",
      run: (_, ctx) => {
        enter(ctx);
        return new Promise<null>((resolve) => {
          leave = () => resolve(null);
          ctx.signal.addEventListener("abort", leave, { once: true });
        });
      },
    };
    const manager = new SessionManager({
      workflowId: `host-${randomPart(() => clock.random())}`,
      config,
      concurrency: 1,
      agents: { [AGENT]: agent },
      memberOf: () => undefined,
      store,
      clock,
      monitor: { onEvent: () => undefined },
      label: `mcp ${client}`,
      leaseMs: LEASE_MS,
    });
    const call = { agentId: AGENT, taskType: "locks", taskId: "locks", description: `Locks of ${client}.` };
    await manager.view(() => null);
    const [handle] = manager.handOver([call]);
    handle?.result.then(() => {
      // Lapsed, unlocked by a person, or closed: whoever asks next enters anew.
      this.#guest = null;
      this.#held.clear();
      manager.close().catch(() => undefined);
    });
    const ctx = await entered;
    const token = readToken(ctx.env);
    if (token === null) throw new LockyardError("BUG", "a running task has a token");
    this.#token = token;
    return { manager, ctx, token, leave: () => leave() };
  }

  #claimsOf({ write = [], read = [], use = [], lock = [] }: LockRequest): readonly Claim[] {
    const place = (path: string) => posix.resolve(this.#options.cwd, path);
    const claims: readonly Claim[] = [
      ...write.map((path) => ({ write: place(path) })),
      ...read.map((path) => ({ read: place(path) })),
      ...use.map((name) => ({ use: name })),
      ...lock.map((name) => ({ lock: name })),
    ];
    if (claims.length > 0) return claims;
    throw new LockyardError("INVALID_CLAIM", "acquire_locks was given nothing to lock.", {
      hint: 'Write { "write": "src/api" }, read, use or lock.',
    });
  }
}

function unknown(id: string): LockyardError {
  return new LockyardError("INVALID_OPTION", `No lock ${JSON.stringify(id)} is held any more.`, {
    hint: "It was released, or not renewed within 10 minutes. Read what you edit again before you go on.",
  });
}
