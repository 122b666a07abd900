/**
 * The tools. Descriptions are static, annotations are true: only what changes nothing is marked read-only, because hosts run
 * such calls at once and without asking.
 */
import type { Clock, JsonObject, JsonValue } from "../index.ts";
import { type Answer, plainAnswer, type Told, tell } from "./answers.ts";
import type { Batch, Desk, TaskRequest, WatchedTask } from "./desk.ts";
import { tellProgress } from "./progress.ts";
import * as schemas from "./schemas.ts";
import { type Call, defineTool, type Tool, type Tooling } from "./tool.ts";

/** Longest any answer is waited for by hosts that cannot be told to wait longer. */
const WAIT_MS = 45_000;

/** Tasks whose results a host has been given: without ids it waits for all others, also those that ended meanwhile. */
const answered = new WeakSet<WatchedTask>();

const changes = { readOnlyHint: false, destructiveHint: true, idempotentHint: false, openWorldHint: true };
const reads = { readOnlyHint: true, openWorldHint: false };

export function taskTools(tooling: Tooling): readonly Tool[] {
  const { clock } = tooling;
  return [
    defineTool({
      name: "run_tasks",
      title: "Run tasks in parallel",
      description:
        "Runs several tasks, each by an agent, at once as far as their claims allow, and answers with every result. Nothing starts when one of them is malformed.",
      annotations: changes,
      input: schemas.tasks,
      run: ({ tasks }, call) => runAll(tooling, tasks, { call, isReadOnly: false }),
    }),
    defineTool({
      name: "run_task",
      title: "Run one task",
      description: "Runs one task by an agent, when what it claims is free, and answers with its result.",
      annotations: changes,
      input: schemas.task,
      run: (task, call) => runAll(tooling, [task], { call, isReadOnly: false }),
    }),
    defineTool({
      name: "run_readonly_task",
      title: "Run one task that only reads",
      description:
        "Runs one task by an agent that is declared read-only; it can claim nothing for writing. Several of these in one message run at once.",
      annotations: { ...reads, openWorldHint: true },
      input: schemas.readOnlyTask,
      run: (task, call) => runAll(tooling, [task], { call, isReadOnly: true }),
    }),
    defineTool({
      name: "start_tasks",
      title: "Start tasks and go on",
      description:
        "Hands several tasks over and answers at once with their ids. They run while you do something else; wait_tasks has their results.",
      annotations: changes,
      input: schemas.tasks,
      run: async ({ tasks }, call) => {
        const desk = await tooling.desk();
        const batch = await desk.start(requested(tasks), { ...asked(call), isReadOnly: false });
        return answerOf({ desk, tooling }, batch, batch.tasks, "Call wait_tasks for the results.");
      },
    }),
    defineTool({
      name: "wait_tasks",
      title: "Wait for started tasks",
      description:
        "Waits until tasks have ended, at most 45 seconds, and answers with the results of those that have and what the others do. Call it again until all have ended.",
      annotations: { ...reads, idempotentHint: true },
      input: schemas.waiting,
      run: async ({ ids, until = "all", seconds = 45 }, call) => {
        const desk = await tooling.desk();
        const tasks = desk.find(ids).filter((task) => ids !== undefined || !answered.has(task));
        const wanted = until === "any" ? Promise.race(tasks.map(({ ended }) => ended)) : all(tasks);
        const limitMs = Math.min(WAIT_MS, seconds * 1_000);
        if (tasks.length > 0) await waitFor(desk.whileWaiting(wanted), { clock, limitMs, tasks, call });
        const isOver = tasks.every(({ result }) => result !== null);
        const workflowId = tasks[0]?.workflowId ?? "";
        const next = isOver ? "" : "Nothing hangs: call wait_tasks again for the rest.";
        return answerOf(
          { desk, tooling },
          { workflowId, tasks },
          tasks,
          tasks.length === 0 ? "Nothing runs and nothing waits." : next,
        );
      },
    }),
    defineTool({
      name: "status",
      title: "What runs, what waits, which agents there are",
      description: "Lists the agents you can name, what runs and what waits on this machine, and who holds what.",
      annotations: { ...reads, idempotentHint: true },
      input: schemas.nothing,
      run: async () => plainAnswer(object(await (await tooling.desk()).status())),
    }),
    defineTool({
      name: "why",
      title: "Why something waits",
      description: "Explains who holds a path or a resource and who is next, or what a task waits for.",
      annotations: { ...reads, idempotentHint: true },
      input: schemas.what,
      run: async ({ what }) => plainAnswer(object(await (await tooling.desk()).why(what))),
    }),
    defineTool({
      name: "cancel_tasks",
      title: "Cancel tasks",
      description:
        "Ends tasks that you started, with everything their agents started, and answers when that is gone. What had ended before stays as it was.",
      annotations: { ...changes, idempotentHint: true, openWorldHint: false },
      input: schemas.naming,
      run: async ({ ids }) => {
        const tasks = (await tooling.desk()).find(ids);
        const ended = await Promise.all(tasks.map((task) => task.cancel()));
        const cancelled = tasks.flatMap(({ id }, at) => (ended[at] === true ? [id] : []));
        return plainAnswer({ cancelled, others: tasks.flatMap(({ id }) => (cancelled.includes(id) ? [] : [id])) });
      },
    }),
    defineTool({
      name: "answer_task",
      title: "Answer a task that asks",
      description: "Answers the question of a task whose status is needs_input; it goes on.",
      annotations: { ...changes, destructiveHint: false, openWorldHint: false },
      input: schemas.answering,
      run: async ({ id, answer }) => {
        (await tooling.desk()).answer(id, answer);
        return plainAnswer({ answered: id });
      },
    }),
  ];
}

interface Running {
  readonly call: Call;
  readonly isReadOnly: boolean;
}

/** Whoever gives up on the call ends its tasks. */
async function runAll(tooling: Tooling, given: readonly object[], { call, isReadOnly }: Running): Promise<Answer> {
  const { clock } = tooling;
  const desk = await tooling.desk();
  const batch = await desk.start(requested(given), { ...asked(call), isReadOnly });
  const { tasks } = batch;
  const giveUp = () => {
    for (const task of tasks) task.cancel().catch(() => undefined); // how it ended is in its result
  };
  if (call.signal.aborted) giveUp();
  call.signal.addEventListener("abort", giveUp, { once: true });
  try {
    await waitFor(desk.whileWaiting(all(tasks)), { clock, limitMs: null, tasks, call });
  } finally {
    call.signal.removeEventListener("abort", giveUp);
  }
  return answerOf({ desk, tooling }, batch, tasks, "");
}

interface Waiting {
  readonly clock: Clock;
  /** Null: until it is over. */
  readonly limitMs: number | null;
  readonly tasks: readonly WatchedTask[];
  readonly call: Call;
}

/** Until it is over, the time is up, or, where time is limited, the host gave up on the call. */
async function waitFor(over: Promise<unknown>, { clock, limitMs, tasks, call }: Waiting): Promise<void> {
  const stop = tellProgress(tasks, { clock, say: call.say });
  let end: () => void = () => undefined;
  const given = new Promise<void>((resolve) => {
    end = resolve;
  });
  const timer = limitMs === null ? null : clock.setTimer(limitMs, end);
  if (limitMs !== null) call.signal.addEventListener("abort", end, { once: true });
  try {
    await (limitMs === null ? over : Promise.race([over, given]));
  } finally {
    stop();
    timer?.cancel();
    call.signal.removeEventListener("abort", end);
  }
}

function all(tasks: readonly WatchedTask[]): Promise<unknown> {
  return Promise.all(tasks.map(({ ended }) => ended));
}

function requested(tasks: readonly object[]): readonly TaskRequest[] {
  return tasks as readonly TaskRequest[]; // as the schema let them through
}

function asked({ callId, client }: Call) {
  return { callId, client };
}

function answerOf(
  { desk, tooling }: { readonly desk: Desk; readonly tooling: Tooling },
  { workflowId }: Batch,
  tasks: readonly WatchedTask[],
  next: string,
): Answer {
  for (const task of tasks) if (task.result !== null) answered.add(task);
  const asks = tasks.some((task) => task.result === null && task.look().status === "needs_input");
  return tell({
    workflowId,
    tasks: tasks.map(told),
    next: asks ? "A task asks: answer_task." : next,
    keep: (results) => desk.keep(results),
    mark: tooling.newMark(),
  });
}

function told(task: WatchedTask): Told {
  const { id, agent, result, log } = task;
  if (result !== null) return { id, agent, result, status: result.status, now: "", log };
  const { status, detail } = task.look();
  return { id, agent, result, status, now: detail, log };
}

function object(value: JsonValue): JsonObject {
  return value as JsonObject; // what a look answers with is an object
}
