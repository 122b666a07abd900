import { createInterface } from "node:readline/promises";
import { errorCode } from "../../edges/basics.ts";
import type { Surroundings } from "../surroundings.ts";

/** Asks for a yes, only where somebody can answer; everywhere else it is a no. */
export async function agrees(question: string, { out }: Pick<Surroundings, "out">): Promise<boolean> {
  if (!out.capabilities.isInteractive || process.stdin.isTTY !== true) return false;
  const prompt = createInterface({ input: process.stdin, output: process.stdout });
  try {
    return /^y(?:es)?$/i.test((await prompt.question(question)).trim());
  } catch (error) {
    // Ctrl-C or Ctrl-D is a no.
    if (errorCode(error) === "ABORT_ERR") return false;
    throw error;
  } finally {
    prompt.close();
  }
}
