// A command as an agent: no shell, the task as JSON on its stdin, progress and result by `::lockyard` lines on its stdout.
// When the task ends, everything the command started is gone.
import { commandAgent, MCPIntegrationLayer } from "lockyard";

// Any program in any language does; this one is JavaScript so that it runs wherever this file runs.
const program = `
  const { task } = JSON.parse(require("node:fs").readFileSync(0, "utf8"));
  console.log("counting " + task.description);
  console.log('::lockyard {"progress": 0.5, "detail": "half"}');
  console.log("::lockyard " + JSON.stringify({ result: { letters: task.description.length }, evidence: ["counted"] }));
`;
const layer = new MCPIntegrationLayer({
  agents: {
    counter: commandAgent({ argv: [process.execPath, "-e", program] }),
    printer: commandAgent({ argv: [process.execPath, "-p", "6 * 7"], stdin: "none" }),
    broken: commandAgent({ argv: [process.execPath, "-e", "console.error('no such table'); process.exit(3)"] }),
    endless: commandAgent({ argv: [process.execPath, "-e", "setInterval(() => {}, 1000)"], graceMs: 1_000 }),
  },
});
const progress: string[] = [];
layer.parallelTaskManager.addProgressCallback((_instanceId, fraction, detail) =>
  progress.push(`${fraction} ${detail}`),
);

const base = { taskType: "run", description: "hello" };
const [counter, printer, broken, endless] = await layer.executeMultipleTaskCalls([
  { ...base, agentId: "counter" },
  { ...base, agentId: "printer" },
  { ...base, agentId: "broken" },
  { ...base, agentId: "endless", timeoutMs: 300 },
]);
console.log(JSON.stringify(counter.output), counter.evidence.join(), progress[0]);
console.log(printer.output); // without a reported result: what was printed
console.log(broken.error?.code, broken.errorMessage?.split(". ")[1]);
console.log(endless.status, endless.error?.code);
await layer.close();

// Prints:
//   {"letters":5} counted 0.5 half
//   42
//   AGENT_EXITED It said: no such table
//   timed_out RUN_TIMEOUT
