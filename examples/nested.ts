// A task starts tasks and takes more locks while it runs. Its slot is lent to them meanwhile, so one slot is enough.
import { EventEmitter, once } from "node:events";
import { functionAgent, type LockyardError, MCPIntegrationLayer } from "lockyard";

const layer = new MCPIntegrationLayer({
  maxConcurrentTasks: 1,
  agents: {
    planner: functionAgent(async (_task, ctx) => {
      const parts = ["parse", "check", "print"].map((description) => ({
        agentId: "writer",
        taskType: "write",
        description,
      }));
      const results = await ctx.run(parts);
      const locks = await ctx.lock([{ write: "CHANGELOG.md" }]);
      const line = results.map(({ output }) => output).join(", ");
      await locks.release();
      return line;
    }),
    writer: functionAgent((task) => `${task.description} done`),
  },
});
const planned = await layer.executeTaskCall({ agentId: "planner", taskType: "plan", description: "plan" });
console.log(`one slot, four tasks: ${planned.output}`);
await layer.close();

// Locks taken one after another may form a cycle. The request that would close it is refused at once, with a name.
const holds = new EventEmitter();
const bothHold = Promise.all(["ann", "bob"].map((name) => once(holds, name)));
const greedy = new MCPIntegrationLayer({
  agents: {
    greedy: functionAgent(async (task, ctx) => {
      const [mine, other] = task.taskId === "ann" ? ["left", "right"] : ["right", "left"];
      await ctx.lock([{ lock: mine }]);
      holds.emit(task.taskId);
      await bothHold;
      try {
        await ctx.lock([{ lock: other }]);
        return "got both";
      } catch (error) {
        return (error as LockyardError).code;
      }
    }),
  },
});
const both = await greedy.executeMultipleTaskCalls(
  ["ann", "bob"].map((taskId) => ({ agentId: "greedy", taskType: "work", description: taskId, taskId })),
);
console.log(
  both
    .map(({ output }) => output)
    .sort()
    .join(", "),
);
await greedy.close();

// Prints:
//   one slot, four tasks: parse done, check done, print done
//   DEADLOCK, got both
