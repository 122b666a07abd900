/** Who is told when a person is needed, and what becomes of tasks behind one that could not be stopped. */
import type { QuarantinePolicy } from "../core/ports.ts";
import { type FaultList, type Path, quote } from "./faults.ts";
import type { PlanNotice } from "./plan.ts";
import { defined, NO_VARIABLES, type Reading, readCommand, readDuration } from "./reading.ts";
import type { RawNotice } from "./schema.ts";

/** `notify` of a plan or a configuration. */
export function readNotices(
  raw: RawNotice | readonly RawNotice[] | undefined,
  reading: Reading,
): readonly PlanNotice[] {
  if (raw === undefined) return [];
  if (!Array.isArray(raw)) return [readNotice(raw as RawNotice, ["notify"], reading)]; // one, and no list of them
  return raw.map((notice, index) => readNotice(notice, ["notify", index], reading));
}

function readNotice(raw: RawNotice, path: Path, reading: Reading): PlanNotice {
  const { faults }: { readonly faults: FaultList } = reading;
  const on = raw.on ?? (["needs_input", "paused", "quarantined", "finished"] as const);
  if ((raw.run === undefined) === (raw.webhook === undefined)) {
    faults.add(
      { path, at: "key" },
      raw.run === undefined ? "notify says neither run nor webhook" : "notify has both run and webhook",
      "write one of them",
    );
  }
  if (raw.webhook !== undefined && !isWebAddress(raw.webhook)) {
    faults.add({ path: [...path, "webhook"] }, `${quote(raw.webhook)} is no http or https address`, "write https://…");
  }
  const scoped = { faults, spelling: (at: Path) => reading.spelling(at), scope: NO_VARIABLES };
  const command =
    raw.run === undefined ? undefined : readCommand({ run: raw.run, shell: undefined, path: [...path, "run"] }, scoped);
  return defined({ command, webhook: raw.webhook, on });
}

function isWebAddress(text: string): boolean {
  return URL.canParse(text) && /^https?:$/.test(new URL(text).protocol);
}

/** `wait`, `skip`, or `take-after 10m`. */
export function readOnQuarantine(raw: string | undefined, reading: Reading): QuarantinePolicy | undefined {
  if (raw === undefined || raw === "wait" || raw === "skip") return raw;
  const takeAfterMs = readDuration(raw.slice("take-after ".length), ["onQuarantine"], reading);
  return takeAfterMs === undefined ? undefined : { takeAfterMs };
}
