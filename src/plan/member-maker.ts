/** Makes the concrete tasks of a plan: puts variables in, merges what plan, agent and task say. */
import { posix } from "node:path";
import { BOUNDS } from "../core/bounds.ts";
import { errorCode } from "../core/errors.ts";
import type { JsonObject, JsonValue, StandardSchema, TaskCall } from "../core/task.ts";
import { findAgent, RUN_AGENT } from "./agent.ts";
import { resultsOf } from "./check.ts";
import { checkClaims, claimText, withText } from "./claims.ts";
import { DependencyResolver } from "./dependencies.ts";
import { didYouMean } from "./did-you-mean.ts";
import { FaultList, type Path, quote } from "./faults.ts";
import { variablesOf } from "./for-each.ts";
import type { PlanFiles } from "./glob.ts";
import { comesAfter, type Dependencies, groupOf } from "./graph.ts";
import type { Item, Items } from "./items.ts";
import { isDisguisedOption, type Member } from "./member.ts";
import { outputValidator } from "./output-schema.ts";
import type { Plan, PlanAgent, PlanCommand, PlanEnvironment, PlanTask } from "./plan.ts";
import { checkTemplates, defined, leavesRoot } from "./reading.ts";
import { escapeTemplates, hasTemplate, isResult, mapTexts, putIn, referencesOf, textOf } from "./template.ts";

export interface Making {
  readonly files: PlanFiles;
  readonly faults: FaultList;
  readonly items: ReadonlyMap<string, Items>;
}

/** What is the same for all members of a task. */
interface Shared {
  /** The description's text, its file read. */
  readonly description: string | undefined;
  readonly usesResults: readonly string[];
  readonly outputSchema: StandardSchema<JsonValue> | undefined;
  readonly hasClaimTemplates: boolean;
}

export class MemberMaker {
  readonly #plan: Plan;
  readonly #making: Making;
  readonly #dependencies: DependencyResolver;
  readonly #graph: Dependencies;
  readonly #groups: ReadonlySet<string>;
  readonly #shared = new Map<string, Shared>();
  readonly #texts = new Map<string, string | undefined>();

  constructor(plan: Plan, making: Making) {
    this.#plan = plan;
    this.#making = making;
    this.#dependencies = new DependencyResolver(plan.tasks, making);
    this.#groups = new Set(plan.tasks.filter(({ forEach }) => forEach !== undefined).map(({ id }) => id));
    this.#graph = new Map(plan.tasks.map((task) => [task.id, task.dependsOn.map(groupOf)]));
  }

  /** Ids of the members of a task, in order. */
  idsOf(group: string): readonly string[] {
    return this.#dependencies.idsOf(group);
  }

  make(task: PlanTask, item: Item, taskId: string): Member {
    const agent = this.#agent(task, item);
    const shared = this.#sharedOf(task, item);
    const keepsResults = shared.usesResults.length > 0;
    const put = (text: string): string => textOf(putIn(text, item.variables, { keepsResults }));
    const command = this.#command(task, agent, put);
    const { dependsOn, waitsFor } = this.#dependencies.resolve(task, item);
    const policy = { ...agent, ...task };
    const context =
      task.context === undefined
        ? undefined
        : mapTexts(task.context, (text) => putIn(text, item.variables, { keepsResults }));
    return defined({
      call: defined({
        taskId,
        agentId: task.agent === undefined ? RUN_AGENT : plainly(task.agent, item),
        taskType: task.type ?? (task.agent === undefined ? "command" : "task"),
        description: shared.description === undefined ? commandText(command, keepsResults) : put(shared.description),
        contextData: context as JsonObject | undefined, // an object went in
        dependsOn,
        when: task.when,
        claims: this.#claims(task, item, shared),
        priority: task.priority,
        queueTimeoutMs: task.queueTimeoutMs,
        inputTimeoutMs: task.inputTimeoutMs,
        timeoutMs: policy.timeoutMs,
        idleTimeoutMs: policy.idleTimeoutMs,
        retry: policy.retry,
        outputSchema: shared.outputSchema,
      }),
      group: task.id,
      kind: agent?.kind ?? "command",
      agent: agent ?? null,
      command,
      ...this.#environment(task, agent, { put, keepsResults }),
      cwd: this.#directory(task, agent, item),
      identify: task.identify,
      leftovers: policy.leftovers ?? "kill",
      isolation: policy.isolation,
      usesResults: shared.usesResults,
      usesGroups: shared.usesResults.filter((name) => this.#groups.has(name)),
      waitsFor,
    });
  }

  #agent(task: PlanTask, item: Item): PlanAgent | undefined {
    if (task.agent === undefined) return undefined;
    const { agents } = this.#plan;
    const name = plainly(task.agent, item);
    const agent = findAgent(name, agents);
    if (agent === undefined)
      this.#making.faults.add(
        { path: [...task.path, "agent"] },
        `no agent named ${quote(name)}`,
        didYouMean(name, Object.keys(agents)),
      );
    return agent;
  }

  #sharedOf(task: PlanTask, item: Item): Shared {
    // A file whose name has a variable is another one for every member.
    const isOwn = task.description !== undefined && "file" in task.description && hasTemplate(task.description.file);
    const known = isOwn ? undefined : this.#shared.get(task.id);
    if (known !== undefined) return known;
    const description = this.#description(task, item);
    const used = resultsOf(task).map(({ reference }) => String(reference.path[1]));
    if (description !== undefined)
      used.push(
        ...referencesOf(description)
          .filter(isResult)
          .map(({ path }) => String(path[1])),
      );
    const shared: Shared = {
      description,
      usesResults: [...new Set(used)],
      outputSchema: task.outputSchema === undefined ? undefined : outputValidator(task.outputSchema),
      hasClaimTemplates: task.claims.some(({ claim }) => claimText(claim).includes("{{")),
    };
    this.#shared.set(task.id, shared);
    return shared;
  }

  /** The text of a description, before variables are put in. */
  #description(task: PlanTask, item: Item): string | undefined {
    const { description } = task;
    if (description === undefined || "text" in description) return description?.text;
    const path = [...task.path, "description", "file"];
    const file = plainly(description.file, item);
    if (this.#texts.has(file)) return this.#texts.get(file);
    const read = this.#readText(file, path);
    const text = read !== undefined && this.#isFillable(read, { file, path, task }) ? read : undefined;
    this.#texts.set(file, text);
    return text;
  }

  #readText(file: string, path: Path): string | undefined {
    const { files, faults } = this.#making;
    if (leavesRoot(file)) {
      faults.add({ path }, `${quote(file)} lies outside the plan's root`, "name a place below it");
      return undefined;
    }
    try {
      const text = files.readText(file);
      if (Buffer.byteLength(text) <= BOUNDS.contextBytes) return text;
      faults.add(
        { path },
        `${quote(file)} is larger than ${BOUNDS.contextBytes.toLocaleString("en")} bytes`,
        "shorten it",
      );
    } catch (error) {
      const code = errorCode(error);
      if (code === undefined || code === "BUG") throw error;
      faults.add(
        { path },
        `${quote(file)} cannot be read (${code})`,
        code === "ENOENT" ? "there is no such file below the plan's root" : undefined,
      );
    }
    return undefined;
  }

  /** Faults in the templates of a prompt file are told at the place that names the file. */
  #isFillable(
    text: string,
    { file, path, task }: { readonly file: string; readonly path: Path; readonly task: PlanTask },
  ): boolean {
    const inFile = new FaultList({ file, place: () => ({ line: 1, column: 1 }) });
    checkTemplates(text, [], { scope: { names: variablesOf(task.forEach), results: "yes" }, faults: inFile });
    for (const reference of referencesOf(text).filter(isResult)) {
      const name = String(reference.path[1]);
      const group = this.#graph.has(name) ? name : groupOf(name);
      if (comesAfter(this.#graph, task.id, group)) continue;
      inFile.add({ path: [] }, `${quote(task.id)} does not wait for ${quote(group)}`, `add ${group} to dependsOn`);
    }
    for (const { what, hint } of inFile.list()) this.#making.faults.add({ path }, `in ${file}: ${what}`, hint);
    return inFile.isEmpty;
  }

  #command(task: PlanTask, agent: PlanAgent | undefined, put: (text: string) => string): PlanCommand | null {
    const { command } = task;
    if (command === undefined) return agent?.command ?? null;
    if (!("argv" in command)) return command;
    const argv = command.argv.map(put);
    // Lists in a plan are the author's own words; a list that an agent made is not.
    const option =
      task.forEach?.kind === "from"
        ? command.argv.findIndex((template, index) =>
            isDisguisedOption(template, { value: argv[index] ?? "", before: argv.slice(0, index) }),
          )
        : -1;
    if (option >= 0)
      this.#making.faults.add(
        { path: [...task.path, "run"] },
        `${quote(argv[option] ?? "")} begins with a dash and would be read as an option`,
        "put -- before it in the command",
      );
    return { argv };
  }

  #claims(task: PlanTask, item: Item, shared: Shared): TaskCall["claims"] {
    if (task.claims.length === 0) return undefined;
    if (!shared.hasClaimTemplates) return task.claims.map(({ claim }) => claim);
    const placed = task.claims.map(({ claim, path }) => ({
      claim: withText(claim, plainly(claimText(claim), item)),
      path,
    }));
    const { root, inForce } = this.#plan;
    return checkClaims(placed, { root, faults: this.#making.faults, resources: inForce, isBroken: () => false }).map(
      ({ claim }) => claim,
    );
  }

  #directory(task: PlanTask, agent: PlanAgent | undefined, item: Item): string {
    const { root, cwd } = this.#plan;
    const directory = task.cwd === undefined ? (agent?.cwd ?? cwd ?? ".") : plainly(task.cwd, item);
    if (leavesRoot(directory))
      this.#making.faults.add(
        { path: [...task.path, "cwd"] },
        `${quote(directory)} lies outside the plan's root`,
        "name a place below it",
      );
    return posix.join(root, directory);
  }

  #environment(
    task: PlanTask,
    agent: PlanAgent | undefined,
    { put, keepsResults }: { readonly put: (text: string) => string; readonly keepsResults: boolean },
  ): Pick<Member, "env" | "passEnv"> {
    const env: Record<string, string> = Object.create(null);
    const passed = new Set<string>();
    const merge = (layer: PlanEnvironment, change: (text: string) => string) => {
      for (const [name, value] of Object.entries(layer)) {
        if (value === null) {
          delete env[name];
          passed.add(name);
        } else {
          passed.delete(name);
          env[name] = change(value);
        }
      }
    };
    const asItIs = (text: string) => (keepsResults ? escapeTemplates(text) : text);
    merge(this.#plan.env, asItIs);
    merge(agent?.env ?? {}, asItIs);
    merge(task.env, put);
    return { env, passEnv: [...passed] };
  }
}

/** A text that is needed before the task starts: variables only. */
function plainly(text: string, { variables }: Item): string {
  return textOf(putIn(text, variables, { keepsResults: false }));
}

/** What people read for a task without a description. */
function commandText(command: PlanCommand | null, keepsResults: boolean): string {
  if (command === null) return "";
  if ("argv" in command) return command.argv.join(" ");
  return keepsResults ? escapeTemplates(command.shell) : command.shell;
}
