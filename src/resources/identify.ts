/**
 * The built-in resource manager: claims inferred from agent type, task type and context (M10).
 *
 *  I1  Where the context names specifics, each is claimed exclusive as `type/id`.
 *  I2  Where it names none, the type is claimed shared, so that a guess never serialises; `database_config` alone exclusive.
 *  I3  Every claim says from what it was inferred; nothing is inferred from the description.
 */
import { agentType } from "../core/agent-type.ts";
import { BOUNDS } from "../core/bounds.ts";
import { errorCode, type Fault, LockyardError } from "../core/errors.ts";
import { parseName } from "../core/names.ts";
import type { ResourceManager } from "../core/ports.ts";
import type { AgentTask, Claim } from "../core/task.ts";
import { mergeRules, type ResourceRule, type ResourceType, selectingWords } from "./resource-types.ts";

export interface InferredClaim {
  readonly claim: Claim;
  /** `agent type "backend_specialist"`, `contextData.endpoints[0]`. */
  readonly from: string;
}

export interface BuiltinResourceManagerOptions {
  /** Further resource types, or words, keys and claims for the built-in ones. */
  readonly rules?: readonly ResourceRule[];
  /** `off`: nothing is inferred. Default `on`. */
  readonly identify?: "on" | "off";
}

interface Selection {
  readonly type: ResourceType;
  readonly from: string;
}

const NOTHING: readonly InferredClaim[] = [];

/**
 * Infers claims. `identify` throws INVALID_CLAIM for a context value that cannot be a name and LIMIT_EXCEEDED beyond 64
 * claims, with every fault.
 */
export function builtinResourceManager(options: BuiltinResourceManagerOptions = {}): ResourceManager {
  if (options.identify === "off") return { identify: () => NOTHING };
  const types = mergeRules(options.rules ?? []);
  const keyOwners = ownersOfKeys(types);
  // Tasks come in floods of a few kinds: what agent and task type select is worked out once a kind.
  const selections = new Map<string, readonly Selection[]>();

  function select(task: AgentTask): readonly Selection[] {
    const agent = agentType(task.agentId);
    const kind = `${agent}\0${task.taskType}`;
    const known = selections.get(kind);
    if (known !== undefined) return known;
    if (selections.size >= BOUNDS.agentMetrics) selections.clear();
    const selected = selectTypes(types, agent, task.taskType);
    selections.set(kind, selected);
    return selected;
  }

  return {
    identify(task) {
      const selected = withContext(select(task), keyOwners, task.contextData);
      if (selected.length === 0) return NOTHING;
      return new Inference(task.contextData ?? {}).infer(selected);
    },
  };
}

function ownersOfKeys(types: readonly ResourceType[]): ReadonlyMap<string, ResourceType> {
  return new Map(types.flatMap((type) => type.ownKeys.map((key) => [key, type] as const)));
}

function selectTypes(types: readonly ResourceType[], agent: string, taskType: string): readonly Selection[] {
  const agentWords = selectingWords(agent);
  const taskWords = selectingWords(taskType);
  return types.flatMap((type) => {
    if (agentWords.some((word) => type.words.includes(word)))
      return [{ type, from: `agent type ${JSON.stringify(agent)}` }];
    const isNamed = taskWords.some((word) => type.words.includes(word) || type.taskWords.includes(word));
    return isNamed ? [{ type, from: `task type ${JSON.stringify(taskType)}` }] : [];
  });
}

function withContext(
  selected: readonly Selection[],
  keyOwners: ReadonlyMap<string, ResourceType>,
  context: object | undefined,
): readonly Selection[] {
  if (context === undefined || context === null) return selected;
  let all = selected;
  for (const key of Object.keys(context)) {
    const type = keyOwners.get(key);
    if (type === undefined || all.some((selection) => selection.type === type)) continue;
    all = [...all, { type, from: `contextData.${key}` }];
  }
  return all;
}

/** Claims of one task. */
class Inference {
  readonly #context: Readonly<Record<string, unknown>>;
  readonly #inferred: InferredClaim[] = [];
  readonly #names = new Set<string>();
  readonly #faults: Fault[] = [];

  constructor(context: Readonly<Record<string, unknown>>) {
    this.#context = context;
  }

  infer(selected: readonly Selection[]): readonly InferredClaim[] {
    for (const selection of selected) this.#inferType(selection);
    const count = this.#inferred.length;
    if (count > BOUNDS.claimsPerTask) {
      const what = `names ${count} resources and the limit is ${BOUNDS.claimsPerTask} claims`;
      throw new LockyardError("LIMIT_EXCEEDED", `contextData ${what}.`, {
        hint: WIDER,
        faults: [{ where: "contextData", what, hint: WIDER }],
      });
    }
    const first = this.#faults[0];
    if (first !== undefined)
      throw new LockyardError("INVALID_CLAIM", `${first.where}: ${first.what}`, { faults: this.#faults });
    return this.#inferred;
  }

  #inferType({ type, from }: Selection): void {
    for (const claim of type.claims) this.#inferred.push({ claim, from });
    const count = this.#inferred.length;
    for (const key of type.ownKeys) this.#inferSpecifics(type, key);
    for (const key of type.sharedKeys) this.#inferSpecifics(type, key);
    if (this.#inferred.length > count || type.whenUnnamed === "nothing") return;
    // A key that selected the type but named nothing (`tables: []`) is no reason to claim.
    if (from.startsWith("contextData.")) return;
    this.#inferred.push({ claim: { lock: type.type, mode: type.whenUnnamed }, from });
  }

  #inferSpecifics(type: ResourceType, key: string): void {
    if (!Object.hasOwn(this.#context, key)) return;
    const value = this.#context[key];
    if (typeof value === "string") this.#inferOne(type, value, `contextData.${key}`);
    else if (Array.isArray(value)) {
      for (const [index, item] of value.entries()) {
        if (typeof item === "string") this.#inferOne(type, item, `contextData.${key}[${index}]`);
      }
    }
  }

  #inferOne(type: ResourceType, id: string, from: string): void {
    const clean = cleanId(id);
    if (clean === "") return;
    const name = `${type.type}/${clean}`;
    if (this.#names.has(name)) return;
    this.#names.add(name);
    try {
      parseName(name, "resource id");
      this.#inferred.push({ claim: { lock: name, mode: "exclusive" }, from });
    } catch (error) {
      if (errorCode(error) !== "INVALID_CLAIM") throw error;
      this.#faults.push({ where: from, what: (error as Error).message }); // ours, by its code
    }
  }
}

const WIDER =
  "Name what contains them (a service instead of its endpoints), give claims yourself, or use identify: off.";

/** `/api/users/` → `api/users`: no empty levels, no outer spaces; empty when nothing is left. */
export function cleanId(id: string): string {
  return id
    .normalize("NFC")
    .replaceAll("\\", "/")
    .split("/")
    .map((level) => level.trim())
    .filter((level) => level !== "" && level !== ".")
    .join("/");
}
