/** Sessions as people read them. */
import { neutralise } from "../../edges/basics.ts";
import { count, duration } from "../terminal/duration.ts";
import { table } from "../terminal/table.ts";
import { wrap } from "../terminal/width.ts";
import type { SessionRow } from "./session-look.ts";
import type { LinesOptions } from "./status-lines.ts";
import type { StatusReport } from "./status-report.ts";

const HOSTS: Readonly<Record<string, string>> = {
  claude: "Claude Code",
  codex: "Codex",
  gemini: "Gemini CLI",
  opencode: "opencode",
};
/** Files and overlaps named; the rest is counted. */
const NAMED = 4;

export function sessionLines(
  { sessions, overlaps }: Pick<StatusReport, "sessions" | "overlaps">,
  { style, columns }: LinesOptions,
): readonly string[] {
  if (sessions.length === 0) return [];
  const rows = sessions.map((session) => [
    `${session.isInTurn ? style.cyan(style.signs.running) : style.dim(style.signs.waiting)} "${neutralise(session.name)}"`,
    neutralise(HOSTS[session.host] ?? session.host),
    neutralise(session.branch || session.root),
    neutralise(holdsText(session)),
    style.dim(session.pid === null ? `seen ${duration(session.seenMs)} ago` : `pid ${session.pid}`),
  ]);
  const warnings = overlaps.slice(0, NAMED).flatMap(({ file, sessions: writers }) => {
    const named = writers.map(({ name, root }) => `"${name}" in ${root}`).join(", ");
    const line = `${style.signs.warning} ${file} is changed in several worktrees: ${named}. Nothing is locked; expect to merge.`;
    return wrap(style.yellow(neutralise(line)), Math.min(120, columns));
  });
  return [
    style.bold(count(sessions.length, "session")),
    ...table(rows, { columns, indent: 2 }),
    ...warnings,
    ...(overlaps.length > NAMED ? [style.dim(`  and ${overlaps.length - NAMED} more such files`)] : []),
  ];
}

function holdsText({ holds }: SessionRow): string {
  if (holds.length === 0) return "-";
  const more = holds.length > NAMED ? ` and ${holds.length - NAMED} more` : "";
  return `${holds.slice(0, NAMED).join(", ")}${more}`;
}
