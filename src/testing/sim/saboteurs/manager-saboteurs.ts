/** Planted bugs, third kind: between managers, agents and their store. */
import type { Command, Effect } from "../../../core/command.ts";
import type { NewRow, TaskRow } from "../../../core/row.ts";
import { plainRow } from "../../rows.ts";
import { HONEST, type Meddling } from "../manager/world.ts";

export interface ManagerSaboteur {
  readonly name: string;
  readonly breaks: string;
  readonly rules: readonly string[];
  readonly meddle: () => Meddling;
}

const commands = (change: (command: Command, count: number) => readonly Command[]) => (): Meddling => {
  let count = 0;
  return { ...HONEST, commands: (given) => given.flatMap((command) => change(command, ++count)) };
};

const answer = (change: (effect: Effect, count: number) => readonly Effect[]) => (): Meddling => {
  let count = 0;
  return { ...HONEST, answer: (given) => given.flatMap((effect) => change(effect, ++count)) };
};

/** A submission with something else in it. A manager's own record stands behind the row, so every field is read. */
function submission(row: NewRow, over: Partial<NewRow>): Command {
  const { workflowId, taskId, agentId, ownerId, kind, wants, parentKey, ancestors, holder, status, rank } = row;
  const { claims, limits, queueTimeoutMs, orphan, placeKey, label, payload } = row;
  const place = { workflowId, taskId, agentId, ownerId, kind, wants, parentKey, ancestors, holder, status, rank };
  return {
    type: "submit",
    row: { ...place, claims, limits, queueTimeoutMs, orphan, placeKey, label, payload, ...over },
  };
}

/** The row of an effect, told otherwise than it is. */
function told(row: TaskRow, over: Partial<TaskRow>): TaskRow {
  return { ...plainRow(row), ...over } as TaskRow; // all of its fields, some changed
}

export const MANAGER_SABOTEURS: readonly ManagerSaboteur[] = [
  {
    name: "a grant is lost on its way",
    breaks: "the store grants and the manager never learns of it",
    rules: ["liveness"],
    meddle: answer((effect, count) => (effect.type === "admitted" && count % 9 === 0 ? [] : [effect])),
  },
  {
    name: "an end is lost on its way",
    breaks: "the store ends a task and the manager never learns of it",
    rules: ["liveness"],
    meddle: answer((effect, count) => (effect.type === "ended" && count % 9 === 0 ? [] : [effect])),
  },
  {
    name: "a batch is carried out twice",
    breaks: "a turn that succeeded is made again",
    rules: ["liveness", "duplicate", "L6", "once", "L5", "L1", "L3"],
    meddle: () => ({
      ...HONEST,
      commands: (given) => [...given, ...given.filter(({ type }) => type === "submit")].map(renamed),
    }),
  },
  {
    name: "a grant by others starts unconfirmed",
    breaks: "a manager starts what it was granted by another's turn without asking, and is taken for dead",
    rules: ["duplicate", "L6", "L1", "once", "L5", "L3", "liveness"],
    meddle: commands((command) => (command.type === "confirm" ? [] : [command])),
  },
  {
    name: "wake-ups are never delivered",
    breaks: "a manager is not told what the turns of others do to its tasks",
    rules: ["liveness"],
    meddle: () => ({ ...HONEST, losesNotice: () => true }),
  },
  {
    name: "quarantine lets go",
    breaks: "an agent that does not stop loses its locks",
    rules: ["L1", "L3"],
    meddle: commands((command) => {
      if (command.type !== "quarantine" && command.type !== "ending") return [command];
      return [{ type: "settle", key: command.key, fence: command.fence, status: "cancelled", result: null }];
    }),
  },
  {
    name: "an agent returns while its work goes on",
    breaks: "the end of an attempt is reported before its work has ended",
    rules: ["L1", "L3", "duplicate", "once", "liveness"],
    meddle: () => ({ ...HONEST, leavesAgentsBehind: () => true }),
  },
  {
    name: "a slot is never given back",
    breaks: "a task that waits for its own tasks keeps its slot",
    rules: ["liveness"],
    meddle: commands((command) => (command.type === "give-slot" ? [] : [command])),
  },
  {
    name: "a lower limit is ignored",
    breaks: "the number of tasks at once is not lowered",
    rules: ["L5"],
    meddle: commands((command, count) =>
      command.type === "declare" && command.kind === "limit" && count > 8 ? [{ ...command, capacity: 9 }] : [command],
    ),
  },
  {
    name: "cancel is forgotten",
    breaks: "a waiting task that was cancelled stays in line",
    rules: ["liveness", "once"],
    meddle: commands((command) => (command.type === "cancel" ? [] : [command])),
  },
  {
    name: "claims are lost on their way",
    breaks: "a task is submitted without its locks",
    rules: ["L1", "L3"],
    meddle: commands((command) =>
      command.type === "submit" && command.row.kind === "task" ? [submission(command.row, { claims: [] })] : [command],
    ),
  },
  {
    name: "fences are all the same",
    breaks: "a manager is told the same fence for every grant",
    rules: ["L6", "liveness"],
    meddle: answer((effect) =>
      effect.type === "admitted" ? [{ ...effect, row: told(effect.row, { fence: 7 }) }] : [effect],
    ),
  },
  {
    name: "tasks inside do not know where they run",
    breaks: "a task started inside another waits for it",
    rules: ["liveness"],
    meddle: commands((command) =>
      command.type === "submit" && command.row.kind === "task"
        ? [submission(command.row, { ancestors: [] })]
        : [command],
    ),
  },
];

function renamed(command: Command, index: number, all: readonly Command[]): Command {
  const isCopy = command.type === "submit" && all.indexOf(command) < index;
  return isCopy ? submission(command.row, { taskId: `${command.row.taskId}-again` }) : command;
}
