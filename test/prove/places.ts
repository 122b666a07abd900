/** A directory for each proof, gone afterwards; and one line of counts a proof, for whoever reads the log. */
import fs from "node:fs";
import os from "node:os";
import path from "node:path";
import { fileURLToPath } from "node:url";
import { afterEach } from "vitest";
import type { ProofReport } from "../../src/prove/proof.ts";

export const ROOT = fileURLToPath(new URL("../..", import.meta.url));

export function usePlaces() {
  const made: string[] = [];
  afterEach(() => {
    for (const place of made.splice(0)) fs.rmSync(place, { recursive: true, force: true });
  });
  return {
    make: (): string => {
      const place = fs.realpathSync(fs.mkdtempSync(path.join(os.tmpdir(), "lockyard-prove-")));
      made.push(place);
      return place;
    },
    note: (title: string, { seed, counts }: Pick<ProofReport, "seed" | "counts">): void => {
      const figures = Object.entries(counts).map(([name, number]) => `${name} ${number}`);
      console.log(`${title}, seed ${seed}: ${figures.join(", ")}`);
    },
  };
}
