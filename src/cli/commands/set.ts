/**
 * `lockyard set NAME=N`: the number that counts for a capacity, pool, rate or for tasks at once, until `set NAME=` clears
 * it. Lowering it takes nothing from anybody: fewer start until it fits.
 */
import { LockyardError, neutralise, suggest } from "../../edges/basics.ts";
import { resourceId } from "../../edges/names.ts";
import { type Counter, MACHINE_LIMIT, SET_BY_HAND, type StoreView } from "../../edges/store.ts";
import { EXIT, type ExitCode } from "../exit-codes.ts";
import { findWorkflow } from "../look/find-workflow.ts";
import { liveTasks } from "../look/workflow-look.ts";
import { workspaceRoot } from "../look/workspace.ts";
import { tellOwners, withStore } from "../store/reach.ts";
import type { SharedStore } from "../store/shared-store.ts";
import type { CommonOptions, Surroundings } from "../surroundings.ts";

interface Setting {
  readonly options: CommonOptions;
  readonly surroundings: Surroundings;
}

/** Most units anything may have. */
const MOST = 1_000_000;

/** What is set of a counter. */
type Settable = Pick<Counter, "node" | "kind" | "capacity" | "used" | "intervalMs" | "declarations" | "members">;

/** Tasks of all processes at once, before anybody has said how many. */
const NO_LIMIT: Settable = {
  node: MACHINE_LIMIT,
  kind: "limit",
  capacity: MOST,
  used: 0,
  intervalMs: 0,
  declarations: [],
  members: [],
};

export function setCommand(assignment: string, setting: Setting): Promise<ExitCode> {
  const { name, number } = parse(assignment);
  return withStore("set", setting, (shared) => {
    if (name.endsWith(".concurrency")) {
      return setWorkflow(shared, { name: name.slice(0, -".concurrency".length), number }, setting);
    }
    return setCounter(shared, { name, number }, setting);
  });
}

interface Assignment {
  readonly name: string;
  /** Null clears it. */
  readonly number: number | null;
}

function parse(text: string): Assignment {
  const at = text.lastIndexOf("=");
  const name = text.slice(0, at).trim();
  const value = text.slice(at + 1).trim();
  if (at > 0 && name !== "" && value === "") return { name, number: null };
  const number = Number(value);
  if (at > 0 && name !== "" && /^\d{1,7}$/.test(value) && number >= 1 && number <= MOST) return { name, number };
  throw new LockyardError(
    "INVALID_OPTION",
    `${JSON.stringify(text)} sets nothing: it must be NAME=N with a whole number from 1 to ${MOST.toLocaleString("en")}, or NAME= to clear it.`,
    { hint: "For example: lockyard set build=2, lockyard set refresh-docs-7f3a.concurrency=4" },
  );
}

async function setWorkflow(
  shared: SharedStore,
  { name, number }: Assignment,
  { options, surroundings: { out } }: Setting,
): Promise<ExitCode> {
  const workflowId = shared.store.view((view) => findWorkflow(view, name));
  const rows = shared.store.view((view) => liveTasks(view, workflowId));
  const told = await tellOwners(shared, rows, { kind: "configure", maxConcurrentTasks: number });
  if (told === 0) {
    throw new LockyardError("INVALID_OPTION", `No process runs workflow ${workflowId}, so nothing was set.`, {
      hint: rows.length === 0 ? undefined : `Go on with it first: lockyard resume ${workflowId}`,
    });
  }
  const what = number === null ? "as many at once as it was started with" : `at most ${number} at once`;
  if (options.json === true) out.json({ type: "set", workflowId, concurrency: number });
  else out.line(neutralise(`${workflowId} runs ${what} from now on; what runs goes on.`));
  return EXIT.ok;
}

async function setCounter(
  { store }: SharedStore,
  { name, number }: Assignment,
  { options, surroundings: { out, cwd } }: Setting,
): Promise<ExitCode> {
  const root = workspaceRoot(cwd);
  const counter = store.view((view) => counterNamed(view, name, root));
  const members = counter.kind === "pool" && number !== null ? counter.members.slice(0, number) : undefined;
  const isByHand = counter.declarations.some(({ by }) => by === SET_BY_HAND);
  if (number === null) {
    if (isByHand) await store.turn([{ type: "withdraw", by: SET_BY_HAND, node: counter.node }]);
  } else {
    await store.turn([
      {
        type: "declare",
        node: counter.node,
        kind: counter.kind,
        capacity: number,
        by: SET_BY_HAND,
        source: "`lockyard set`",
        authority: true,
        intervalMs: counter.intervalMs,
        ...(members === undefined ? {} : { members }),
      },
    ]);
  }
  const now = store.view((view) => counterNamed(view, name, root));
  if (options.json === true) {
    out.json({ type: "set", name, capacity: now.capacity, used: now.used, setByHand: number !== null });
    return EXIT.ok;
  }
  const over =
    now.used > now.capacity ? ` ${now.used} are in use: nothing is taken back, fewer start until it fits.` : "";
  out.line(
    neutralise(
      number !== null
        ? `${name} is ${now.capacity} now (${counter.capacity >= MOST ? "no limit" : counter.capacity} before), until \`lockyard set ${name}=\` clears it.${over}`
        : isByHand
          ? `${name} is no longer set by hand: ${now.capacity >= MOST ? "no limit" : now.capacity} now.${over}`
          : `${name} was not set by hand; it is ${now.capacity >= MOST ? "without a limit" : now.capacity}.`,
    ),
  );
  return EXIT.ok;
}

/** Throws UNKNOWN_RESOURCE with a suggestion. */
function counterNamed(view: StoreView, name: string, root: string): Settable {
  if (name === "concurrency") return view.counters().find(({ node }) => node === MACHINE_LIMIT) ?? NO_LIMIT;
  const counters = view.counters().filter(({ kind }) => kind !== "limit");
  const found = counters.find(({ node }) => resourceId(node, root) === name);
  if (found !== undefined) return found;
  const near = suggest(
    name,
    counters.map(({ node }) => resourceId(node, root)),
  );
  const close = counters.find(({ node }) => resourceId(node, root) === near);
  throw new LockyardError("UNKNOWN_RESOURCE", `no capacity named "${name}".`, {
    hint:
      close === undefined
        ? "lockyard status --locks shows what is in use."
        : `Did you mean "${near}" (${close.capacity} units)?`,
  });
}
