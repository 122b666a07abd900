/** The text of a plan file → a checked plan, or every fault of it at once. */
import { basename, extname } from "node:path";
import { BOUNDS } from "../core/bounds.ts";
import type { DeclaredResource, ResourceDeclaration } from "../core/declared.ts";
import { workspaceId } from "../core/names.ts";
import { readAgent } from "./agent.ts";
import { checkWhole } from "./check.ts";
import { type FaultList, inputError, type Path, quote } from "./faults.ts";
import { reportIssues } from "./issues.ts";
import { readNotices, readOnQuarantine } from "./notices.ts";
import type { Plan, PlanAgent, PlanBudget, PlanTask } from "./plan.ts";
import { type Pruned, prune } from "./prune.ts";
import {
  defined,
  idFault,
  NO_VARIABLES,
  plainEnvironment,
  type Reading,
  readDuration,
  readEnvironment,
  readInside,
} from "./reading.ts";
import { defaultResources, effectiveResources, readResource } from "./resource.ts";
import { planSchema, type RawPlan } from "./schema.ts";
import { readSource, type Source } from "./source.ts";
import { readTask } from "./task.ts";

export interface ParsePlanOptions {
  /** Name of the file, for faults. */
  readonly file: string;
  /** Absolute directory that paths in the plan are relative to. */
  readonly root: string;
  /** What configuration files declare (see config/load-config.ts). Without it only `build` is known, of unknown size. */
  readonly declared?: readonly DeclaredResource[];
  /** Agents that configuration files declare; the plan's own win. */
  readonly agents?: Readonly<Record<string, PlanAgent>>;
  /** Workspace of private names; default: that of the root. */
  readonly workspace?: string;
}

/**
 * Parses YAML or JSON. Throws LockyardError INVALID_PLAN whose `faults` list everything that is wrong, each with
 * `file:line:column` and mostly a hint; `formatFaults(error, text)` prints them with their lines.
 */
export function parsePlan(text: string, options: ParsePlanOptions): Plan {
  const source = readSource(text, options.file);
  const plan = source.isReadable ? new PlanReader(source, options).read() : undefined;
  if (plan === undefined || !source.faults.isEmpty) throw inputError("INVALID_PLAN", source.faults.list());
  return plan;
}

class PlanReader {
  readonly #source: Source;
  readonly #options: ParsePlanOptions;
  readonly #faults: FaultList;
  readonly #reading: Reading;
  #broken: Pick<Pruned, "tasks" | "agents" | "resources"> = {
    tasks: new Set(),
    agents: new Set(),
    resources: new Set(),
  };

  constructor(source: Source, options: ParsePlanOptions) {
    this.#source = source;
    this.#options = options;
    this.#faults = source.faults;
    this.#reading = { faults: source.faults, spelling: (path) => source.spelling(path) };
  }

  read(): Plan | undefined {
    const raw = this.#shape();
    if (raw === undefined) return undefined;
    const { file, root, declared = [], agents: configured = {} } = this.#options;
    const resources = this.#resources(raw.resources ?? {});
    const agents: Record<string, PlanAgent> = Object.create(null);
    for (const [name, agent] of Object.entries(raw.agents ?? {})) {
      agents[name] = readAgent(name, agent, { path: ["agents", name], reading: this.#reading, file });
    }
    const allAgents: Record<string, PlanAgent> = Object.assign(Object.create(null), configured, agents);
    const all = [...defaults(this.#options), ...declared, ...Object.values(resources)];
    const inForce = effectiveResources(all);
    const tasks = checkWhole({
      tasks: this.#tasks(raw),
      agents: allAgents,
      resources: inForce,
      root,
      faults: this.#faults,
      brokenAgents: this.#broken.agents,
      brokenResources: this.#broken.resources,
    });
    const scoped = { ...this.#reading, scope: NO_VARIABLES };
    return defined({
      file,
      root,
      name: this.#name(raw),
      concurrency: raw.concurrency ?? null,
      env: plainEnvironment(readEnvironment(raw.env, ["env"], scoped)),
      cwd: readInside(raw.cwd, ["cwd"], scoped),
      deadlineMs: readDuration(raw.deadline, ["deadline"], this.#reading),
      resources,
      inForce,
      agents: allAgents,
      tasks:
        raw.identify === "off" || raw.identify === false ? tasks.map((task) => this.#unidentified(task, raw)) : tasks,
      budget: this.#budget(raw.budget),
      notify: readNotices(raw.notify, this.#reading),
      onQuarantine: readOnQuarantine(raw.onQuarantine, this.#reading),
      weight: raw.weight,
      locator: { file, place: this.#source.place },
    });
  }

  /** The data in its shape; what has another shape is told and left out. */
  #shape(): RawPlan | undefined {
    const { data, faults } = this.#source;
    const parsed = planSchema.safeParse(data);
    if (parsed.success) return parsed.data;
    reportIssues(parsed.error.issues, { schema: planSchema, data, faults });
    const pruned = prune(data, parsed.error.issues);
    this.#broken = pruned;
    const again = planSchema.safeParse({ tasks: {}, ...pruned.data });
    return again.success ? again.data : undefined;
  }

  #name(raw: RawPlan): string {
    const { file } = this.#options;
    const name = raw.name ?? (basename(file, extname(file)) || "plan");
    const fault = raw.name === undefined ? undefined : idFault(name);
    if (fault !== undefined) this.#faults.add({ path: ["name"] }, fault.what, fault.hint);
    return name;
  }

  #resources(raw: NonNullable<RawPlan["resources"]>): Record<string, DeclaredResource> {
    const { file, root, workspace = workspaceId(root) } = this.#options;
    const resources: Record<string, DeclaredResource> = Object.create(null);
    const entries = Object.entries(raw);
    if (entries.length > BOUNDS.declaredResources) {
      this.#faults.add(
        { path: ["resources"], at: "key" },
        `${entries.length} resources and the limit is ${BOUNDS.declaredResources}`,
      );
    }
    const broken = new Set(this.#broken.resources);
    for (const [name, declaration] of entries.slice(0, BOUNDS.declaredResources)) {
      const declarer = { path: ["resources", name], faults: this.#faults, by: file, workspace, authority: false };
      const resource = readResource(name, declaration as ResourceDeclaration, declarer); // same shape; its values are checked there
      if (resource === undefined) broken.add(name);
      else resources[name] = resource;
    }
    this.#broken = { ...this.#broken, resources: broken };
    return resources;
  }

  #tasks(raw: RawPlan): readonly PlanTask[] {
    const entries = Object.entries(raw.tasks);
    const canonical = new Map<string, string>();
    if (entries.length === 0 && this.#faults.isEmpty)
      this.#faults.add({ path: ["tasks"], at: "key" }, "the plan has no task", "write tasks: { build: { run: … } }");
    if (entries.length > BOUNDS.tasksPerWorkflow) {
      const [count, limit] = [entries.length, BOUNDS.tasksPerWorkflow].map((number) => number.toLocaleString("en"));
      this.#faults.add({ path: ["tasks"], at: "key" }, `${count} tasks and the limit is ${limit}`, "split the plan");
    }
    return entries.slice(0, BOUNDS.tasksPerWorkflow).map(([id, task]) => {
      const path: Path = ["tasks", id];
      const same = canonical.get(id.normalize("NFC"));
      if (same !== undefined)
        this.#faults.add(
          { path, at: "key" },
          `${quote(id)} is the same name twice, in two ways to write its letters`,
          "rename one",
        );
      canonical.set(id.normalize("NFC"), id);
      return readTask(id, task, { path, reading: this.#reading, isBroken: this.#broken.tasks.has(id) });
    });
  }

  /** `identify: off` of the plan holds for tasks that do not say otherwise. */
  #unidentified(task: PlanTask, raw: RawPlan): PlanTask {
    return raw.tasks[task.id]?.identify === undefined ? { ...task, identify: false } : task;
  }

  #budget(raw: RawPlan["budget"]): PlanBudget {
    if (raw === undefined) return {};
    const { tasks, tokens, usd } = raw;
    return defined({ tasks, tokens, usd, wallMs: readDuration(raw.wall, ["budget", "wall"], this.#reading) });
  }
}

/** Without configuration `build` is known by name only: its size is the machine's business. */
function defaults({ declared, root, workspace = workspaceId(root) }: ParsePlanOptions): readonly DeclaredResource[] {
  return declared === undefined ? defaultResources(4 * BOUNDS.units, workspace) : [];
}
