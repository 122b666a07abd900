/** `lockyard plan PLAN`. */
import { type Fault, neutralise } from "../../edges/basics.ts";
import { PlanFault } from "../config-for.ts";
import { EXIT, type ExitCode } from "../exit-codes.ts";
import { tellFailure } from "../failure.ts";
import { graphLines } from "../plan/graph-lines.ts";
import { claimText, PLAN, type Preview, previewOf } from "../plan/preview.ts";
import { type LoadedPlan, loadPlan } from "../plan-file.ts";
import type { PlanOptions } from "../program.ts";
import { agentFaults } from "../run/plan-agents.ts";
import { concurrencyFor } from "../run/plan-manager.ts";
import { trustFor } from "../run/trust.ts";
import type { Surroundings } from "../surroundings.ts";
import { count } from "../terminal/duration.ts";
import type { Output } from "../terminal/output.ts";
import { table } from "../terminal/table.ts";
import { wrap } from "../terminal/width.ts";

export async function planCommand(file: string, options: PlanOptions, surroundings: Surroundings): Promise<ExitCode> {
  const json = options.json === true;
  const { out } = surroundings;
  try {
    const loaded = await loadPlan(file, { ...surroundings, only: options.only });
    const preview = previewOf(loaded, concurrencyFor(options.concurrency, loaded.plan, loaded.config));
    const faults = agentFaults(loaded.expanded, trustFor(loaded, surroundings.env));
    if (json) out.json(jsonOf(loaded, preview, faults));
    else out.lines(textOf(loaded, preview, { out, isVerbose: options.verbose === true, faults }));
    return preview.analysis.faults.length > 0 ? EXIT.usage : EXIT.ok;
  } catch (error) {
    if (error instanceof PlanFault) {
      return tellFailure(error.cause, surroundings, { json, details: error.details });
    }
    return tellFailure(error, surroundings, { json });
  }
}

interface TextOptions {
  readonly out: Output;
  readonly isVerbose: boolean;
  /** What keeps it from being run. */
  readonly faults: readonly Fault[];
}

function textOf({ plan, expanded }: LoadedPlan, preview: Preview, options: TextOptions): readonly string[] {
  const { out, isVerbose, faults } = options;
  const { style } = out;
  const { analysis, tasks, concurrency } = preview;
  const layers = Math.max(0, ...analysis.graph.levels.map((level) => level + 1));
  const columns = out.columns();
  const warning = (text: string) => wrapped(`${style.yellow(style.signs.warning)} ${text}`, columns);
  return [
    style.bold(
      `${plan.name}: ${count(tasks.length, "task")} in ${count(layers, "layer")}, at most ${concurrency} at once`,
    ),
    "",
    ...graphLines(tasks, expanded.deferred, { style, columns, isVerbose }),
    "",
    ...collisionLines(preview, options),
    ...inferredLines(preview, options),
    ...boundLines(preview, options),
    ...analysis.faults.flatMap(({ where, what, hint }) =>
      wrapped(`${style.red(style.signs.failed)} ${where} ${what}${hint === undefined ? "" : `: ${hint}`}`, columns),
    ),
    ...expanded.warnings.flatMap((text) => warning(neutralise(text))),
    ...readerLines(preview).flatMap(warning),
    ...faults.flatMap(({ where, what, hint = "" }) =>
      warning(neutralise(`\`run\` would refuse this plan: ${where} ${what}: ${hint}`)),
    ),
  ];
}

function wrapped(text: string, columns: number): readonly string[] {
  return wrap(text, columns > 110 && Number.isFinite(columns) ? 110 : columns).map((line, at) =>
    at === 0 ? line : `  ${line}`,
  );
}

/** Collisions are no dependencies: these tasks may run in any order, but never at once. */
function collisionLines({ analysis, nameOf }: Preview, { out, isVerbose }: TextOptions): readonly string[] {
  const { resources, count: all } = analysis.collisions;
  const { style } = out;
  if (all === 0) return [style.dim("Collisions: none; whatever is ready may run at once."), ""];
  const shown = resources.slice(0, isVerbose ? resources.length : 8);
  const rows = shown.map(({ node, tasks, pairs, examples }) => {
    const names = examples.slice(0, 2).map(([a, b]) => `${neutralise(a)} | ${neutralise(b)}`);
    const more = pairs > names.length ? `, +${pairs - names.length}` : "";
    return [neutralise(nameOf(node)), count(tasks, "task"), `never at once: ${names.join(", ")}${more}`];
  });
  return [
    `${style.bold("Collisions")} ${style.dim("(in any order, but never at once)")}`,
    ...table(rows, { columns: out.columns(), indent: 2 }),
    ...(all > shown.length ? [style.dim(`  and ${all - shown.length} more`)] : []),
    "",
  ];
}

function inferredLines({ tasks }: Preview, { out, isVerbose }: TextOptions): readonly string[] {
  const { style } = out;
  const rows = tasks.flatMap(({ member, claims }) =>
    claims
      .filter(({ from }) => from !== PLAN)
      .map(({ claim, from }) => [
        neutralise(member.call.taskId),
        neutralise(claimText(claim)),
        style.dim(`from ${neutralise(from)}`),
      ]),
  );
  if (rows.length === 0) return [];
  const shown = rows.slice(0, isVerbose ? rows.length : 8);
  return [
    `${style.bold("Inferred claims")} ${style.dim("(identify: off turns this off)")}`,
    ...table(shown, { columns: out.columns(), indent: 2 }),
    ...(rows.length > shown.length
      ? [style.dim(`  and ${rows.length - shown.length} more; --verbose lists them`)]
      : []),
    "",
  ];
}

const NAMED_ON_PATH = 8;

function boundLines({ analysis }: Preview, { out }: TextOptions): readonly string[] {
  const { style } = out;
  const { taskIds } = analysis.criticalPath;
  const shown =
    taskIds.length > NAMED_ON_PATH ? [...taskIds.slice(0, NAMED_ON_PATH - 1), "…", ...taskIds.slice(-1)] : taskIds;
  const rows = [
    [style.bold("Critical path"), shown.map(neutralise).join(` ${style.signs.arrow} `)],
    [
      style.bold("Lower bound"),
      `${lengths(analysis.lowerBoundMs)}; one after another it would be ${Math.round(analysis.workMs)}`,
    ],
  ];
  const points = [...(analysis.bottleneck === null ? [] : [analysis.bottleneck]), ...analysis.suggestions];
  const lines = [...new Set(points)].flatMap((text) =>
    wrapped(`${style.cyan(style.signs.arrow)} ${text}`, out.columns()),
  );
  return [...table(rows, { columns: out.columns() }), ...lines.map(neutralised(style)), ""];
}

/** Colours are ours, names are not. */
function neutralised(style: Output["style"]): (line: string) => string {
  const plain = style.signs.arrow;
  return (line) =>
    line.startsWith(style.cyan(plain))
      ? style.cyan(plain) + neutralise(line.slice(style.cyan(plain).length))
      : neutralise(line);
}

/** Without history every task counts as one length. */
function lengths(number: number): string {
  return count(Math.round(number * 10) / 10, "task length");
}

function readerLines({ readers }: Preview): readonly string[] {
  return readers.slice(0, 8).map(({ taskId, resourceId, writers }) => {
    const others = writers === 0 ? "" : `${count(writers, "task")} of this plan and `;
    return neutralise(
      `${taskId} reads all of ${resourceId}: while it runs, ${others}every other task and session ${writers === 0 ? "waits" : "wait"} to write there. If a snapshot will do, write observe instead of read.`,
    );
  });
}

function jsonOf({ plan, expanded }: LoadedPlan, preview: Preview, faults: readonly Fault[]) {
  const { analysis, tasks, concurrency, readers, nameOf } = preview;
  const { graph, collisions, bounds, ...rest } = analysis;
  return {
    type: "plan",
    name: plan.name,
    file: plan.file,
    concurrency,
    tasks: tasks.map(({ member, claims }, at) => ({
      taskId: member.call.taskId,
      group: member.group,
      agentId: member.call.agentId,
      kind: member.kind,
      layer: (graph.levels[at] ?? 0) + 1,
      dependsOn: member.call.dependsOn,
      when: member.call.when ?? "success",
      claims: claims.map(({ claim, from }) => ({ ...claim, from })),
    })),
    deferred: expanded.deferred,
    warnings: [...expanded.warnings, ...readerLines(preview)],
    readers,
    refusals: faults,
    ...rest,
    bounds: bounds.map(({ node, ...bound }) => ({ ...bound, resourceId: node === "" ? null : nameOf(node) })),
    collisions: collisions.resources.map(({ node, ...collision }) => ({ resourceId: nameOf(node), ...collision })),
  };
}
