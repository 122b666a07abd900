/**
 * A file beside the store that only takes up room. On a full disk even a deletion needs space for the log: what runs could
 * not be ended, and its locks would stay. Then the ballast goes, and what lets go of something is carried out; what is new
 * is refused until there is space.
 */
import { rmSync, statfsSync, statSync, writeFileSync } from "node:fs";
import { dirname } from "node:path";

const BYTES = 1024 * 1024;
/** Only where so much would be left: ballast must not be what fills the disk. */
const FREE_BYTES = 2 * BYTES;

export class Ballast {
  readonly #file: string;

  constructor(storeFile: string) {
    this.#file = `${storeFile}-ballast`;
  }

  /** Takes its room when it has none and there is plenty. Never throws: a store works without it. */
  fill(): void {
    if (this.#isThere()) return;
    try {
      const { bavail, bsize } = statfsSync(dirname(this.#file));
      if (bavail * bsize < BYTES + FREE_BYTES) return;
      // Real bytes: a hole would keep no room. Zeros might be stored as one by file systems that compress.
      writeFileSync(this.#file, Buffer.alloc(BYTES, "lockyard keeps this room for a full disk. "), { mode: 0o600 });
    } catch {
      this.drop();
    }
  }

  /** Gives its room back. */
  drop(): void {
    rmSync(this.#file, { force: true });
  }

  #isThere(): boolean {
    return statSync(this.#file, { throwIfNoEntry: false }) !== undefined;
  }
}
