/** What `lockyard doctor --prove` runs: the storm, and the control that shows that its monitor can see. About a minute. */
import fs from "node:fs";
import path from "node:path";
import type { Clock } from "../index.ts";
import { boundAfter, type ProofReport } from "./proof.ts";
import { storm } from "./storm.ts";

export interface ProveOptions {
  readonly clock: Clock;
  /** Directory beside which the storm's own store lies, so that it is the same file system; nothing stays in it. */
  readonly beside: string;
  readonly seed: number;
  readonly signal: AbortSignal;
}

export interface Proof {
  readonly seed: number;
  readonly ok: boolean;
  readonly storm: ProofReport;
  readonly control: ProofReport;
  /** The rate of harm that so many harmless faults leave possible. */
  readonly bound: string;
}

const STORM = { faults: 300, limitMs: 34_000 } as const;
const CONTROL = { faults: 60, limitMs: 9_000, sweeps: false } as const;

export async function prove({ clock, beside, seed, signal }: ProveOptions): Promise<Proof> {
  fs.mkdirSync(beside, { recursive: true, mode: 0o700 });
  const inPlaceOfItsOwn = async (part: typeof STORM | typeof CONTROL): Promise<ProofReport> => {
    const place = fs.mkdtempSync(path.join(beside, "prove-"));
    try {
      return await storm({ clock, place, seed, signal, ...part });
    } finally {
      fs.rmSync(place, { recursive: true, force: true });
    }
  };
  const stormed = await inPlaceOfItsOwn(STORM);
  const control = await inPlaceOfItsOwn(CONTROL);
  const ok = stormed.faults.length === 0 && (control.counts.overlaps ?? 0) > 0;
  return { seed, ok, storm: stormed, control, bound: boundAfter(stormed.counts.faults ?? 0) };
}
