/** What the compiler must infer; checked by the type checker, never run. */
import * as z from "zod";
import { agentReport } from "../core/agent-report.ts";
import { type AgentFor, type AgentIdOf, type ContextOf, defineAgents, type OutputOf } from "../core/agent-types.ts";
import type { JsonObject } from "../core/task.ts";
import { functionAgent } from "./function-agent.ts";

type Same<A, B> = (<T>() => T extends A ? 1 : 2) extends <T>() => T extends B ? 1 : 2 ? true : false;
function same<A, B>(_: Same<A, B>): void {}

const agents = defineAgents({
  backend_specialist: functionAgent(async (task, ctx) => {
    same<typeof task.contextData, JsonObject | undefined>(true);
    ctx.progress(0.5, "half");
    return { ok: true };
  }),
  reviewer: functionAgent({
    context: z.object({ file: z.string() }),
    output: z.object({ issues: z.array(z.string()) }),
    claims: ({ file }) => [{ read: file }],
    run: async (task) => {
      same<typeof task.contextData.file, string>(true);
      return { issues: [task.contextData.file] };
    },
  }),
  reporter: functionAgent(() => agentReport({ output: 7, confidenceScore: 0.5 })),
  scored: functionAgent({ output: z.number(), run: () => agentReport({ output: 7 }) }),
});

type Ids = AgentIdOf<typeof agents>;
same<Extract<Ids, `reviewer${string}`>, "reviewer" | `reviewer_${number}`>(true);
same<AgentIdOf<{ "*": (typeof agents)["reviewer"] }>, string>(true);
same<ContextOf<(typeof agents)["reviewer"]>, { file: string }>(true);
same<OutputOf<(typeof agents)["reviewer"]>, { issues: string[] }>(true);
same<OutputOf<(typeof agents)["backend_specialist"]>, { ok: boolean }>(true);
same<OutputOf<(typeof agents)["reporter"]>, number>(true);
same<OutputOf<(typeof agents)["scored"]>, number>(true);
same<OutputOf<AgentFor<typeof agents, "reviewer_12">>, { issues: string[] }>(true);
same<ContextOf<AgentFor<typeof agents, "backend_specialist_1">>, JsonObject>(true);
same<AgentFor<typeof agents, "nobody">, never>(true);
// @ts-expect-error an output that is not the schema's
functionAgent({ output: z.object({ issues: z.array(z.string()) }), run: () => ({ issues: [1] }) });
