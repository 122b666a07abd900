/** The production memory store behind the simulation's port. */
import type { Command, Effect, Owner } from "../../core/command.ts";
import type { Clock, StoreView } from "../../core/ports.ts";
import type { TaskRow } from "../../core/row.ts";
import { isFinal } from "../../core/row.ts";
import { MemoryStore } from "../../stores/memory/memory-store.ts";
import { plainRow } from "../rows.ts";
import { FaultyLedger } from "./faulty-ledger.ts";
import type { Seen, SimStore, TurnFault } from "./sim-store.ts";

const EVERYTHING = 1_000_000;

/** Keeps what the last turn answered: joining answers nothing itself. */
class ToldMemoryStore extends MemoryStore {
  last: readonly Effect[] = [];

  override turnFor(callerId: string, commands: readonly Command[]): readonly Effect[] {
    this.last = super.turnFor(callerId, commands);
    return this.last;
  }
}

export class MemorySimStore implements SimStore {
  readonly kind = "memory";
  readonly ledger: FaultyLedger;
  readonly inside: SimStore["inside"];
  readonly faults: string[] = [];
  readonly #store: ToldMemoryStore;
  #nowMs = 0;
  #frozen = 0;
  #before = "";

  constructor(ledger: FaultyLedger = new FaultyLedger(1_000)) {
    this.ledger = ledger;
    this.inside = ledger.inside;
    const clock: Clock = {
      nowMs: () => this.#nowMs,
      wallMs: () => this.#nowMs,
      setTimer: () => ({ cancel: () => undefined }),
      random: () => 0,
    };
    this.#store = new ToldMemoryStore(clock, ledger);
    ledger.onUndone = () => this.#compare();
  }

  /** A turn that was undone leaves everything as it was. */
  #compare(): void {
    if (this.#before === "") return;
    const after = this.dump();
    if (after !== this.#before)
      this.faults.push(`a turn was undone and left something behind:\n${firstDifference(this.#before, after)}`);
    this.#before = "";
  }

  turn(callerId: string, commands: readonly Command[], nowMs: number): readonly Effect[] | null {
    if (this.#frozen > 0) return null;
    this.#nowMs = nowMs;
    this.#before = this.ledger.fault === null ? "" : this.dump();
    const effects = this.#store.turnFor(callerId, commands);
    this.#before = "";
    this.ledger.disarm();
    return effects;
  }

  listen(owner: Owner, nowMs: number, onEffects: (effects: readonly Effect[]) => void): readonly Effect[] {
    this.#nowMs = nowMs;
    this.#store.join(owner, onEffects);
    return this.#store.last;
  }

  poll(): void {}

  freeze(): () => void {
    this.#frozen++;
    return () => {
      this.#frozen--;
    };
  }

  failNext(fault: TurnFault): void {
    this.ledger.fault = fault;
  }

  #look<T>(read: (view: StoreView) => T): T {
    return this.#store.view(read);
  }

  rowsOf(ownerId: string): readonly Seen[] {
    return this.#look((view) => view.tasks({ ownerId, limit: EVERYTHING }).map(seenOf));
  }

  find(workflowId: string, taskId: string): Seen | undefined {
    const row = this.#look((view) => view.task(workflowId, taskId));
    return row === undefined ? undefined : seenOf(row);
  }

  owners(): readonly Owner[] {
    return this.#look((view) => view.owners());
  }

  nextDueAtMs(): number {
    return this.#store.nextDueAtMs();
  }

  dump(): string {
    return this.#look((view) => dumpOf(view));
  }

  liveCount(): number {
    return this.#look((view) => view.count({}));
  }

  close(): void {
    this.#store.close();
  }
}

export function seenOf({ key, taskId, kind, status, fence, ownerId, members }: TaskRow): Seen {
  return { key, taskId, kind, status, fence, ownerId, members };
}

export function dumpOf(view: StoreView): string {
  const rows = view.tasks({ limit: EVERYTHING }).filter(({ status }) => !isFinal(status));
  const lines = rows.map((row) => JSON.stringify({ ...plainRow(row), payload: null }));
  const counters = [...view.counters()].map((counter) => JSON.stringify(counter));
  const owners = view.owners().map((owner) => JSON.stringify(owner));
  return [...lines.sort(), ...counters.sort(), ...owners.sort()].join("\n");
}

function firstDifference(before: string, after: string): string {
  const [left, right] = [before.split("\n"), after.split("\n")];
  const at = left.findIndex((line, index) => line !== right[index]);
  return `before: ${left[at] ?? ""}\nafter:  ${right[at] ?? ""}`;
}
