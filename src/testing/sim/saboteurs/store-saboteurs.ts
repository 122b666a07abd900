/** Planted bugs, second kind: stores that change what was asked or what is answered. */
import type { Command, Effect } from "../../../core/command.ts";
import { MemorySimStore } from "../memory-sim-store.ts";

/** Changes commands before the store sees them. */
abstract class MeddlingStore extends MemorySimStore {
  abstract meddle(command: Command): Command;

  override turn(callerId: string, commands: readonly Command[], nowMs: number): readonly Effect[] | null {
    return super.turn(
      callerId,
      commands.map((command) => this.meddle(command)),
      nowMs,
    );
  }

  protected fenceOf(key: number, otherwise: number): number {
    return this.ledger.get(key)?.fence ?? otherwise;
  }
}

export class SettleIgnoresFence extends MeddlingStore {
  override meddle(command: Command): Command {
    return command.type === "settle" ? { ...command, fence: this.fenceOf(command.key, command.fence) } : command;
  }
}

export class ConfirmIgnoresFence extends MeddlingStore {
  override meddle(command: Command): Command {
    return command.type === "confirm" ? { ...command, fence: this.fenceOf(command.key, command.fence) } : command;
  }
}

export class DeathNeedsNoProof extends MeddlingStore {
  override meddle(command: Command): Command {
    return command.type === "owner-gone" ? { ...command, isProven: true } : command;
  }
}

export class EndingLetsGo extends MeddlingStore {
  override meddle(command: Command): Command {
    if (command.type !== "ending") return command;
    return { type: "settle", key: command.key, fence: command.fence, status: "cancelled", result: null };
  }
}

export class RenewalIsLost extends MeddlingStore {
  override meddle(command: Command): Command {
    return command.type === "renew" ? { type: "confirm", key: command.key, fence: command.fence } : command;
  }
}

export class OverloadIsForgotten extends MeddlingStore {
  override meddle(command: Command): Command {
    return command.type === "slow-down" ? { type: "tick" } : command;
  }
}

export class StrangersAreForgotten extends MeddlingStore {
  override meddle(command: Command): Command {
    return command.type === "put-back" ? { ...command, taken: [] } : command;
  }
}

export class MovedPathsAreForgotten extends MeddlingStore {
  override meddle(command: Command): Command {
    return command.type === "put-back" ? { ...command, claims: null } : command;
  }
}

export class PutBackGoesToTheEnd extends MeddlingStore {
  override turn(callerId: string, commands: readonly Command[], nowMs: number): readonly Effect[] | null {
    for (const command of commands) {
      const row = command.type === "put-back" ? this.ledger.get(command.key) : undefined;
      if (row?.status === "running") row.rank += 1;
    }
    return super.turn(callerId, commands, nowMs);
  }

  override meddle(command: Command): Command {
    return command;
  }
}

export class RetryKeepsLocks extends MeddlingStore {
  override meddle(command: Command): Command {
    return command.type === "retry" ? { ...command, type: "give-slot" } : command;
  }
}

export class SlotIsNeverGiven extends MeddlingStore {
  override meddle(command: Command): Command {
    return command.type === "give-slot" ? { type: "confirm", key: command.key, fence: command.fence } : command;
  }
}

export class SubmitLosesClaim extends MeddlingStore {
  override meddle(command: Command): Command {
    return command.type === "submit"
      ? { ...command, row: { ...command.row, claims: command.row.claims.slice(0, 1) } }
      : command;
  }
}

export class SubmitForgetsAncestors extends MeddlingStore {
  override meddle(command: Command): Command {
    return command.type === "submit" && command.row.kind === "task"
      ? { ...command, row: { ...command.row, ancestors: [] } }
      : command;
  }
}

export class RankIsLost extends MeddlingStore {
  override meddle(command: Command): Command {
    return command.type === "submit" && command.row.kind === "task"
      ? { ...command, row: { ...command.row, rank: 0 } }
      : command;
  }
}

/** Changes what is answered. */
abstract class LyingStore extends MemorySimStore {
  protected answers = 0;
  abstract lie(effects: readonly Effect[]): readonly Effect[];

  override turn(callerId: string, commands: readonly Command[], nowMs: number): readonly Effect[] | null {
    const effects = super.turn(callerId, commands, nowMs);
    this.answers++;
    return effects === null ? null : this.lie(effects);
  }
}

export class GrantIsToldTwice extends LyingStore {
  override lie(effects: readonly Effect[]): readonly Effect[] {
    return this.answers % 17 === 0
      ? effects.flatMap((effect): readonly Effect[] => (effect.type === "admitted" ? [effect, effect] : [effect]))
      : effects;
  }
}

export class GrantIsNotTold extends LyingStore {
  override lie(effects: readonly Effect[]): readonly Effect[] {
    return this.answers % 17 === 0 ? effects.filter(({ type }) => type !== "admitted") : effects;
  }
}

export class RefusalIsNotTold extends LyingStore {
  override lie(effects: readonly Effect[]): readonly Effect[] {
    return effects.filter((effect) => effect.type !== "refused" || effect.code !== "STALE_FENCE");
  }
}

export class EndIsNotTold extends LyingStore {
  override lie(effects: readonly Effect[]): readonly Effect[] {
    return this.answers % 5 === 0 ? effects.filter(({ type }) => type !== "ended") : effects;
  }
}
