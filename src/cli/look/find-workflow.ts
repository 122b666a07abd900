/** A workflow by what people type: its id, or the name of its plan when only one run of that is meant. */
import { LockyardError } from "../../edges/basics.ts";
import type { StoreView } from "../../edges/store.ts";

/** Workflows looked through. */
const WORKFLOWS = 1_000;

/** Throws INVALID_OPTION when there is none, or several that live. */
export function findWorkflow(view: StoreView, text: string): string {
  const known = view.workflows(WORKFLOWS);
  if (known.some(({ workflowId }) => workflowId === text)) return text;
  const runs = known.filter(({ workflowId }) => isRunOf(workflowId, text));
  const live = runs.filter((run) => run.live > 0);
  const meant = live.length > 0 ? live : runs;
  const [only] = meant;
  if (only !== undefined && meant.length === 1) return only.workflowId;
  const names = meant.map(({ workflowId }) => workflowId);
  throw new LockyardError(
    "INVALID_OPTION",
    names.length === 0
      ? `There is no workflow named ${text}.`
      : `${text} has ${names.length} runs: ${names.slice(0, 5).join(", ")}.`,
    { hint: names.length === 0 ? "lockyard status lists what runs and what waits." : "Say which." },
  );
}

/** `nightly-7f3a` is a run of `nightly`. */
export function isRunOf(workflowId: string, name: string): boolean {
  return workflowId.startsWith(`${name}-`) && /^[0-9a-z]{4}$/.test(workflowId.slice(name.length + 1));
}
