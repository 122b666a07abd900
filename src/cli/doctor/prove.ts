/** `lockyard doctor --prove`: the storm on this machine, told as checks. */
import { dirname } from "node:path";
import { LockyardError, systemClock } from "../../edges/basics.ts";
import { hasProcessTable } from "../../edges/store.ts";
import type { Proof } from "../../prove/prove.ts";
import type { Surroundings } from "../surroundings.ts";
import { count } from "../terminal/duration.ts";
import type { Check } from "./checks.ts";

/** `file`: where the store lies or will lie; the storm has one of its own beside it. */
export async function proveHere(
  file: string,
  { seed, surroundings }: { readonly seed: number | undefined; readonly surroundings: Surroundings },
): Promise<{ readonly proof: Proof; readonly checks: readonly Check[] }> {
  if (!hasProcessTable()) {
    throw new LockyardError("INVALID_OPTION", `--prove watches processes in /proc, and ${process.platform} has none.`, {
      hint: "Run it on Linux, in a container for example.",
    });
  }
  const clock = systemClock();
  const chosen = seed ?? Math.floor(clock.wallMs()) % 1_000_000;
  surroundings.err.line(
    `Seed ${chosen}. For about a minute processes of its own are killed and stopped; Ctrl-C ends it.`,
  );
  const interrupt = new AbortController();
  const stop = () => interrupt.abort();
  process.on("SIGINT", stop).on("SIGTERM", stop);
  try {
    const { prove } = await import("../../prove/prove.ts");
    const proof = await prove({ clock, beside: dirname(file), seed: chosen, signal: interrupt.signal });
    return { proof, checks: checksOf(proof) };
  } finally {
    process.off("SIGINT", stop).off("SIGTERM", stop);
  }
}

function checksOf({ storm, control, bound, seed }: Proof): readonly Check[] {
  const { counts, faults } = storm;
  const of = (name: string): number => counts[name] ?? 0;
  const happened =
    `${of("killedWorkers")} kill -9 and ${of("stoppedWorkers")} stops of ${count(of("processes"), "process", "processes")}, ` +
    `${of("killedHolders")} kill -9 and ${of("stoppedHolders")} stops of holders`;
  const kept =
    `of ${count(of("submissions"), "acknowledged submission")} and ${count(of("results"), "result")} none is lost; ` +
    `of ${count(of("grants"), "grant")} none overlapped, no fence came twice; all drained, store whole`;
  const repeat = `lockyard doctor --prove --seed ${seed}`;
  const overlaps = control.counts.overlaps ?? 0;
  return [
    faults.length === 0
      ? { name: "storm", status: "ok", what: `${happened}\n${kept}\nchance that a fault does harm: ${bound}` }
      : { name: "storm", status: "fault", what: [happened, ...faults].join("\n"), fix: `tell us, with: ${repeat}` },
    overlaps > 0
      ? {
          name: "control",
          status: "ok",
          what: `the same without ending what the dead left: ${count(overlaps, "overlap")} seen, so the monitor can see`,
        }
      : {
          name: "control",
          status: "fault",
          what: "the same without ending what the dead left, and the monitor saw no overlap: the storm proves nothing",
          fix: `run it again on a quieter machine: ${repeat}`,
        },
  ];
}
