/** Hooks that pass for a while, in every session of this user. A file, so that it works when the store does not. */
import { mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { Clock } from "../../index.ts";

export class HookPause {
  readonly #directory: string;
  readonly #clock: Clock;

  constructor(stateDirectory: string, clock: Clock) {
    this.#directory = stateDirectory;
    this.#clock = clock;
  }

  /** Wall time until which hooks pass; null when they work. */
  until(): number | null {
    try {
      const until = Number(readFileSync(this.#file(), "utf8"));
      return until > this.#clock.wallMs() ? until : null;
    } catch {
      // No such file, the usual case; and one that cannot be read pauses nothing.
      return null;
    }
  }

  begin(forMs: number): number {
    const until = this.#clock.wallMs() + forMs;
    mkdirSync(this.#directory, { recursive: true });
    writeFileSync(this.#file(), `${until}\n`);
    return until;
  }

  end(): void {
    rmSync(this.#file(), { force: true });
  }

  #file(): string {
    return join(this.#directory, "hooks-paused");
  }
}
