import fc from "fast-check";
import { expect, test } from "vitest";
import { functionAgent } from "../agents/function-agent.ts";
import { MCPIntegrationLayer } from "../compose.ts";

test("whatever is given as calls is refused or run, and never throws anything but our error", async () => {
  const agent = functionAgent(() => 1);
  await using layer = new MCPIntegrationLayer({ agents: { "*": agent } });
  await fc.assert(
    fc.asyncProperty(
      fc.array(
        fc.oneof(
          fc.anything(),
          fc.record(
            {
              agentId: fc.anything(),
              taskType: fc.anything(),
              description: fc.anything(),
              contextData: fc.anything(),
              claims: fc.anything(),
              retry: fc.anything(),
              timeoutMs: fc.anything(),
            },
            { requiredKeys: [] },
          ),
        ),
        { maxLength: 4 },
      ),
      async (calls) => {
        try {
          const results = await layer.executeMultipleTaskCalls(calls as never, { deadlineMs: 5_000 });
          expect(results).toHaveLength(calls.length);
        } catch (error) {
          expect((error as Error).name).toBe("LockyardError");
          expect((error as { code: string }).code).not.toBe("BUG");
        }
      },
    ),
    { numRuns: 300 },
  );
});
