// Two reasons to try again: a failure that may pass (spends an attempt), and a provider that says "not now" (does not).
import { functionAgent, MCPIntegrationLayer, rateLimited } from "lockyard";

let overloads = 0;
const layer = new MCPIntegrationLayer({
  agents: {
    flaky: functionAgent((_task, ctx) => {
      if (ctx.attempt < 3) throw Object.assign(new Error("the connection was reset"), { retryable: true });
      return `worked at attempt ${ctx.attempt}`;
    }),
    // Any error that carries a status 429 or a Retry-After header is understood in the same way.
    limited: functionAgent((_task, ctx) => {
      if (overloads++ < 2) throw rateLimited({ retryAfterMs: 20 });
      return `worked after ${overloads - 1} waits, at attempt ${ctx.attempt}`;
    }),
    hopeless: functionAgent(() => {
      throw Object.assign(new Error("the key is wrong"), { retryable: false });
    }),
  },
});

const retry = { attempts: 3, backoff: "exponential", baseMs: 5, maxMs: 50 } as const;
const base = { taskType: "fetch", description: "fetch", retry };
const results = await layer.executeMultipleTaskCalls([
  { ...base, agentId: "flaky" },
  { ...base, agentId: "limited" },
  { ...base, agentId: "hopeless" },
]);
for (const { agentId, attempts, output, errorMessage } of results) {
  console.log(`${agentId}: ${output ?? errorMessage} (attempts spent: ${attempts})`);
}
await layer.close();

// Prints:
//   flaky: worked at attempt 3 (attempts spent: 3)
//   limited: worked after 2 waits, at attempt 1 (attempts spent: 1)
//   hopeless: the key is wrong (attempts spent: 1)
