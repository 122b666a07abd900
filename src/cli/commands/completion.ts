/** `lockyard completion SHELL`. */
import { LockyardError, suggest } from "../../edges/basics.ts";
import { completionScript, SHELLS } from "../completion/scripts.ts";
import { EXIT, type ExitCode } from "../exit-codes.ts";
import type { CommonOptions, Surroundings } from "../surroundings.ts";

export function completionCommand(given: string, options: CommonOptions, { out }: Surroundings): ExitCode {
  const shell = SHELLS.find((each) => each === given);
  if (shell === undefined) {
    const near = suggest(given, SHELLS);
    throw new LockyardError("INVALID_OPTION", `There is no completion for ${JSON.stringify(given)}.`, {
      hint: near === undefined ? `There is one for ${SHELLS.join(", ")}.` : `Did you mean ${near}?`,
    });
  }
  const script = completionScript(shell);
  if (options.json === true) out.json({ type: "completion", shell, script });
  else out.write(script);
  return EXIT.ok;
}
