/** The command alone, with nothing claimed: Lockyard is off in this shell, or broken and not needed. */
import type { LockyardError } from "../../edges/basics.ts";
import { newMarker, spawnForeground } from "../../edges/run.ts";
import type { Clock } from "../../index.ts";
import { codeOfExit, codeOfSignal, codeOfSpawnFailure } from "./codes.ts";
import { groupFor, Signals, terminalStreams } from "./signals.ts";

export interface BareCommand {
  readonly argv: readonly [string, ...string[]];
  readonly clock: Clock;
  readonly isNice: boolean;
  readonly say: (line: string) => void;
}

export async function runBare({ argv, clock, isNice, say }: BareCommand): Promise<number> {
  const group = groupFor(terminalStreams());
  const signals = new Signals((signal) => process.exit(codeOfSignal(signal)));
  signals.listen();
  try {
    const child = await spawnForeground({
      argv,
      group,
      isNice,
      memoryBytes: null,
      ownEnv: {},
      marker: newMarker(clock),
    });
    signals.passTo({ group, signal: child.signal });
    return codeOfExit(await child.exited);
  } catch (error) {
    say(spawnSentence(error as LockyardError)); // spawnForeground throws nothing else
    return codeOfSpawnFailure(error);
  } finally {
    signals.close();
  }
}

/** One line, as a shell says it. */
export function spawnSentence({ message, hint }: Pick<LockyardError, "message" | "hint">): string {
  return hint === undefined ? message : `${message} ${hint}`;
}
