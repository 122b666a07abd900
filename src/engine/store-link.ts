/**
 * One manager's tie to its store: opened once, beaten for, ticked when the store asks, tried again when it is busy, left in
 * good order.
 */
import { MAX_TIMER_MS } from "../core/bounds.ts";
import type { Command, Effect } from "../core/command.ts";
import { errorCode, LockyardError } from "../core/errors.ts";
import type { Awaitable, Store, StoreView } from "../core/ports.ts";
import { ancestorsOfToken } from "../core/token.ts";
import type { Agenda, Due } from "./agenda.ts";
import { DeathWatch } from "./death-watch.ts";
import { Heartbeat, ownerOf } from "./owner.ts";
import type { ManagerParts } from "./parts.ts";
import type { Batch, TurnQueue } from "./turn-queue.ts";

/** Times a turn is tried again when the store was busy or away: from 0.1 s, doubling, about a minute and a half in all. */
const TURN_TRIES = 10;
const FIRST_WAIT_MS = 100;

export interface StoreLinkHost {
  readonly ownerId: string;
  /** What the store must know before the first task. */
  declarations(): readonly Command[];
  /** The holders in other processes that everything here runs inside of, nearest first. */
  standInside(ancestors: readonly number[]): void;
  onOthersEffects(effects: readonly Effect[]): void;
  /** It was judged gone, and has joined again. */
  rejoined(): Promise<void>;
  /** It cannot be used any more: every task has to end. */
  onBroken(error: LockyardError): void;
}

export class StoreLink {
  readonly #parts: ManagerParts;
  readonly #agenda: Agenda;
  readonly #turns: TurnQueue;
  readonly #host: StoreLinkHost;
  readonly #heartbeat: Heartbeat;
  readonly #deaths: DeathWatch;
  #store: Store | null = null;
  #opening: Promise<void> | null = null;
  #brokenBy: LockyardError | null = null;
  #failures = 0;
  #isOver = false;
  #isAwaited = false;

  constructor(
    parts: ManagerParts,
    wiring: { readonly agenda: Agenda; readonly turns: TurnQueue },
    host: StoreLinkHost,
  ) {
    this.#parts = parts;
    this.#agenda = wiring.agenda;
    this.#turns = wiring.turns;
    this.#host = host;
    this.#heartbeat = new Heartbeat(parts, wiring.turns, host.ownerId);
    const { agenda, turns } = wiring;
    const { ownerId } = host;
    this.#deaths = new DeathWatch({ parts, agenda, turns, ownerId, view: (read) => this.view(read) });
  }

  get isOpen(): boolean {
    return this.#store !== null;
  }

  /** Why it cannot be used; null while it can. */
  get brokenBy(): LockyardError | null {
    return this.#brokenBy;
  }

  /** Where the state lives and how far its locks reach; null before it is open. */
  get facts(): Pick<Store, "kind" | "scope" | "location"> | null {
    return this.#store;
  }

  /** Opens the store, once. Rejects with its error, after every task handed over has ended with it. */
  open(): Promise<void> {
    this.#opening ??= this.#open();
    return this.#opening;
  }

  async #open(): Promise<void> {
    const { clock } = this.#parts;
    try {
      const store = await this.#parts.store.open({ clock });
      this.#store = store;
      const owner = await ownerOf(this.#parts, this.#host.ownerId, store);
      await store.join(owner, (effects) => this.#onOthersEffects(effects));
      const { inside } = this.#parts.standing;
      if (inside !== null) this.#host.standInside(await store.view((view) => ancestorsOfToken(view, inside)));
    } catch (thrown) {
      throw this.#break(thrown);
    }
    for (const declaration of this.#host.declarations()) this.#turns.push(declaration, null);
    this.#turns.open(this.#store);
    this.#heartbeat.start();
    this.attend(this.#isAwaited);
  }

  /**
   * Whether any task owes a result. While one does, this process must not end for want of anything else to do: what its
   * tasks wait for may be held by another process, and nothing of that keeps a loop alive here.
   */
  attend(isAwaited: boolean): void {
    this.#isAwaited = isAwaited;
    const isShared = this.#store !== null && this.#store.scope !== "process";
    if (isAwaited && isShared && !this.#isOver) {
      this.#agenda.set(this.#presence, this.#parts.clock.nowMs() + MAX_TIMER_MS);
      this.#deaths.start();
    } else {
      this.#agenda.clear(this.#presence);
      this.#deaths.stop();
    }
  }

  #onOthersEffects(effects: readonly Effect[]): void {
    if (this.#isOver) return;
    this.#host.onOthersEffects(effects);
    this.drained();
  }

  view<T>(read: (view: StoreView) => T): Awaitable<T> {
    if (this.#store === null) throw new LockyardError("CLOSED", "The store is not open.");
    return this.#store.view(read);
  }

  /** After turns: the store may want one by itself at some time. */
  drained(): void {
    this.#failures = 0;
    const dueAtMs = this.#store?.nextDueAtMs() ?? 0;
    if (dueAtMs > 0 && !this.#isOver) this.#agenda.set(this.#tick, dueAtMs);
    else this.#agenda.clear(this.#tick);
  }

  /** Queue time-outs, rates, what one release left untested. */
  readonly #tick: Due = { dueAtMs: 0, place: -1, onDue: () => this.#turns.push({ type: "tick" }, null) };
  readonly #presence: Due = { dueAtMs: 0, place: -1, onDue: () => this.attend(this.#isAwaited) };
  readonly #tryAgain: Due = { dueAtMs: 0, place: -1, onDue: () => this.#turns.resume() };

  turnFailed(error: unknown, batch: Batch): void {
    if (this.#isOver) return;
    const code = errorCode(error);
    const mayPass = code === "STORE_BUSY" || code === "STORE_UNAVAILABLE";
    if (!mayPass || ++this.#failures > TURN_TRIES) {
      this.#break(error);
      return;
    }
    this.#turns.hold(batch);
    const waitMs = FIRST_WAIT_MS * 2 ** (this.#failures - 1) * (0.5 + this.#parts.clock.random());
    this.#agenda.set(this.#tryAgain, this.#parts.clock.nowMs() + waitMs);
  }

  /** Judged gone while the loop stood still. What ran is not ours any more, and was told so; from here on we live again. */
  beatRefused(): void {
    const store = this.#store;
    if (store === null || this.#isOver) return;
    ownerOf(this.#parts, this.#host.ownerId, store)
      .then(async (owner) => {
        // What it had declared went with it.
        await store.turn([{ type: "owner-join", owner }, ...this.#host.declarations()]);
        await this.#host.rejoined();
      })
      .catch((error: unknown) => this.#break(error));
  }

  #break(thrown: unknown): LockyardError {
    const message = thrown instanceof Error ? thrown.message : String(thrown);
    const error =
      thrown instanceof LockyardError
        ? thrown
        : new LockyardError("STORE_UNAVAILABLE", `The store cannot be used: ${message}`, { cause: thrown });
    this.#isOver = true;
    this.#brokenBy = error;
    this.#stopTimers();
    this.#parts.logger.error(error.message, { code: error.code });
    this.#host.onBroken(error);
    return error;
  }

  /** Resolves when opening is over, however it went; at once when it never began. */
  async settled(): Promise<void> {
    await this.#opening?.catch(() => undefined);
  }

  /** The last turn: the store learns that this owner is gone, after everything it still had to say. Then closes it. */
  async close(): Promise<void> {
    const store = this.#store;
    if (store !== null && !this.#isOver) {
      this.#heartbeat.stop();
      const { ownerId } = this.#host;
      // Through the queue: a busy store is asked again, and what settles meanwhile is still said.
      this.#turns.push({ type: "withdraw", by: ownerId }, null);
      this.#turns.push({ type: "owner-leave", ownerId }, null);
      await this.#turns.finish();
    }
    this.#isOver = true;
    this.#stopTimers();
    this.#store = null;
    await store?.close();
  }

  #stopTimers(): void {
    this.#heartbeat.stop();
    this.#agenda.clear(this.#tick);
    this.#agenda.clear(this.#tryAgain);
    this.#agenda.clear(this.#presence);
    this.#deaths.stop();
  }
}
