import type { Clock } from "../core/ports.ts";

const SLOTS = 64;
/** Wall time is looked up this often: a clock that somebody sets shows in what people read, never in a decision. */
const OFFSET_LASTS_MS = 1_000;

/** Monotonic milliseconds → ISO 8601. Texts are kept by millisecond: many tasks end within the same one. */
export class IsoTimes {
  readonly #clock: Clock;
  readonly #milliseconds = new Float64Array(SLOTS);
  readonly #texts: string[] = new Array(SLOTS).fill("");
  #offsetMs = 0;
  #offsetUntilMs = Number.NEGATIVE_INFINITY;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  wallMs(atMs: number): number {
    if (atMs >= this.#offsetUntilMs) {
      const nowMs = this.#clock.nowMs();
      this.#offsetMs = this.#clock.wallMs() - nowMs;
      this.#offsetUntilMs = nowMs + OFFSET_LASTS_MS;
    }
    return Math.floor(atMs + this.#offsetMs);
  }

  text(atMs: number): string {
    return this.textOfWall(this.wallMs(atMs));
  }

  textOfWall(wallMs: number): string {
    const slot = wallMs & (SLOTS - 1);
    if (this.#milliseconds[slot] !== wallMs) {
      this.#milliseconds[slot] = wallMs;
      this.#texts[slot] = isoText(wallMs);
    }
    return this.#texts[slot] ?? "";
  }
}

function isoText(wallMs: number): string {
  return new Date(wallMs).toISOString();
}
