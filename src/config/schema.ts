/** The grammar of a configuration file: the user's own, or `lockyard.yaml` in a repository. */
import * as z from "zod";
import * as w from "../plan/words.ts";

const rule = z
  .strictObject({
    match: w.textOrList.describe("Commands it is for: `npm test*`, `cargo *`."),
    use: w.textOrList
      .optional()
      .describe("Declared capacities, pools or rates such a command takes: `build`, `build:2`."),
    write: w.textOrList.optional().describe("Paths such a command writes."),
    read: w.textOrList.optional().describe("Paths such a command reads."),
    lock: w.textOrList.optional().describe("Names such a command locks."),
  })
  .register(w.wordings, { expected: "a rule: { match, use }" });

export const configSchema = z
  .strictObject({
    $schema: z.string().optional(),
    concurrency: w.concurrency.optional().describe("Tasks that may run at once, where a plan does not say."),
    resources: w.resources.optional(),
    agents: w.agents.optional(),
    identify: w.identify.optional(),
    rules: z.array(rule).optional().describe("Heavy commands of a session that wait in line."),
    hold: z
      .enum(["edit", "idle", "turn"])
      .optional()
      .describe(
        "How long a session holds a file it edited: for the edit, until it left it alone (default), for its turn.",
      ),
    gitGuard: z
      .boolean()
      .optional()
      .describe(
        "Whether a session may not run git commands that discard what another has not committed (default: true).",
      ),
    hotFiles: z
      .array(w.text)
      .optional()
      .describe(
        "Files that every session touches, held for the edit only: names, or paths with `/`; beside lockfiles, manifests, barrels and changelogs.",
      ),
    store: z
      .strictObject({
        tier: z
          .enum(["process", "power"])
          .optional()
          .describe("What outlives the end of every process (default), or of the machine's power too."),
        prompts: z
          .enum(["full", "hash", "none"])
          .optional()
          .describe("What is kept of what tasks were told, once they have ended: all of it for 7 days (default)."),
      })
      .optional()
      .describe("How the shared store is kept; only in your own file."),
    ifBroken: z.enum(["run", "fail"]).optional().describe("What `exec` and hooks do when Lockyard itself is broken."),
    notify: w.notify.optional(),
    onQuarantine: w.onQuarantine.optional(),
    keep: z
      .array(w.text)
      .optional()
      .describe("Shared daemons that are never killed as leftovers, besides the well-known ones."),
  })
  .register(w.wordings, { expected: "a configuration: resources, concurrency and so on" });

export type RawConfig = z.infer<typeof configSchema>;
