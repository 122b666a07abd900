/** After the storm: was every promise kept, is everything down, is the file whole. */
import fs from "node:fs";
import { judgeOwners, OwnerJudge, openSqliteStore, type StoreView } from "../edges/store.ts";
import type { AgentResult, Clock } from "../index.ts";
import type { Faults } from "./proof.ts";
import type { StormBook } from "./storm-book.ts";

export interface AfterwardsOptions {
  readonly clock: Clock;
  readonly faults: Faults;
  readonly book: StormBook;
  readonly files: { readonly store: string; readonly acknowledged: string };
  readonly alsoExpected: readonly string[];
}

/** How a task may end whose own process lives: well, or because its holder was killed. */
const EXPECTED = ["-", "AGENT_CRASHED", "AGENT_EXITED"] as const;

/** Looks spent on those who died last. */
const LOOKS = 100;

export async function judgeStore(options: AfterwardsOptions): Promise<Readonly<Record<string, number>>> {
  const { clock, faults, files } = options;
  const store = await openSqliteStore({ clock, file: files.store });
  try {
    const judge = new OwnerJudge({ clock });
    for (let looks = 0; looks < LOOKS; looks++) {
      const effects = await judgeOwners({ store, clock, judge });
      if (effects.length === 0) break;
    }
    const counts = store.view((view) => {
      checkDrained(view, faults);
      return checkPromises(view, options);
    });
    return counts;
  } finally {
    await store.close();
    await checkFile(files.store, faults);
  }
}

function checkDrained(view: StoreView, faults: Faults): void {
  for (const { workflowId, taskId, status } of view.tasks({}))
    faults.add(`${workflowId}/${taskId} is still ${status}.`);
  for (const { row, claim } of view.holds({})) faults.add(`${row.workflowId}/${row.taskId} still holds ${claim.node}.`);
  for (const { node, used, kind } of view.counters()) {
    if (kind !== "rate" && used !== 0) faults.add(`${used} of ${node} are still out.`);
  }
  for (const { label, pid } of view.owners()) faults.add(`The owner ${label} (pid ${pid}) is still there.`);
}

function checkPromises(view: StoreView, options: AfterwardsOptions): Readonly<Record<string, number>> {
  const { faults, book, files } = options;
  const expected = new Set([...EXPECTED, ...options.alsoExpected]);
  const counts = { submissions: 0, results: 0, succeeded: 0 };
  for (const line of fs.readFileSync(files.acknowledged, "latin1").split("\n")) {
    const [kind, workflowId = "", taskId = "", status, fence, code = ""] = line.split(" ");
    const name = `${workflowId}/${taskId}`;
    if (kind === "s") {
      counts.submissions++;
      if (view.task(workflowId, taskId) === undefined) faults.add(`The acknowledged submission of ${name} is lost.`);
    } else if (kind === "r") {
      counts.results++;
      const settled = view.task(workflowId, taskId)?.status;
      // The store is lost to that process: what it says of its tasks is only that.
      if (settled !== status && !code.startsWith("STORE_")) {
        faults.add(`${name} was told it ${status}; the store says ${settled ?? "nothing"}.`);
      }
      if (!expected.has(code)) faults.add(`${name} ended ${status} with ${code}, and its process lived.`);
      if (status !== "succeeded") continue;
      counts.succeeded++;
      const kept = view.result(workflowId, taskId) as AgentResult | undefined; // what the manager settled it with
      const keptFence = (kept?.output as { readonly fence?: number } | null | undefined)?.fence; // what its holder printed
      const ends = book.ended.get(name) ?? [];
      if (keptFence !== Number(fence) || !ends.includes(Number(fence))) {
        faults.add(
          `${name} succeeded with fence ${fence}; the store says ${keptFence} and the book ${ends.join(", ")}.`,
        );
      }
    }
  }
  return counts;
}

async function checkFile(file: string, faults: Faults): Promise<void> {
  const { DatabaseSync } = await import("node:sqlite");
  const database = new DatabaseSync(file, { readOnly: true });
  try {
    const row = database.prepare("pragma integrity_check").get();
    const verdict = String(row?.integrity_check);
    if (verdict !== "ok") faults.add(`The store is damaged: ${verdict}`);
  } finally {
    database.close();
  }
}
