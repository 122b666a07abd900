/** What the compiler must infer and refuse; checked by the type checker, never run. */
import * as z from "zod";
import {
  type AgentResult,
  createTaskCall,
  defineAgents,
  functionAgent,
  type JsonValue,
  MCPIntegrationLayer,
  ParallelTaskManager,
} from "../index.ts";

type Same<A, B> = (<T>() => T extends A ? 1 : 2) extends <T>() => T extends B ? 1 : 2 ? true : false;
function same<A, B>(_: Same<A, B>): void {}

const agents = defineAgents({
  backend_specialist: functionAgent(async (_task, ctx) => {
    ctx.progress(0.5, "half");
    return { ok: true };
  }),
  reviewer: functionAgent({
    context: z.object({ file: z.string(), lines: z.array(z.number()).optional() }),
    output: z.object({ issues: z.array(z.string()) }),
    claims: ({ file }) => [{ read: file }],
    run: async () => ({ issues: [] }),
  }),
  counter: functionAgent({ context: z.object({ from: z.number().optional() }), run: () => 7 }),
});

export async function typed(): Promise<void> {
  await using layer = new MCPIntegrationLayer({ workflowId: "release", maxConcurrentTasks: 8, agents });
  const base = { taskType: "x", description: "x" } as const;

  // Tuple in, tuple out; each output is its agent's.
  const [one, two, three] = await layer.executeMultipleTaskCalls([
    { agentId: "backend_specialist_1", ...base },
    { agentId: "reviewer_12", ...base, contextData: { file: "a.ts", lines: [1, 2] } },
    { agentId: "counter", ...base },
  ]);
  same<typeof one, AgentResult<{ ok: boolean }>>(true);
  same<typeof two, AgentResult<{ issues: string[] }>>(true);
  same<typeof three, AgentResult<number>>(true);
  if (two.success) {
    same<typeof two.output, { issues: string[] }>(true);
    same<typeof two.errorMessage, null>(true);
  } else {
    two.error.code satisfies string;
    same<typeof two.output, { issues: string[] } | null>(true);
  }

  // A list in, a list out.
  const many = await layer.executeMultipleTaskCalls(
    [1, 2].map((n) => ({ agentId: `reviewer_${n}` as const, ...base, contextData: { file: `${n}` } })),
  );
  same<(typeof many)[number], AgentResult<{ issues: string[] }>>(true);

  const single = await layer.executeTaskCall({ agentId: "counter_3", ...base, contextData: {} });
  same<typeof single, AgentResult<number>>(true);
  for await (const result of layer.results([{ agentId: "counter", ...base }]))
    same<typeof result, AgentResult<number>>(true);

  // A schema of the call wins over the agent's.
  const schema = z.object({ lines: z.number() });
  const own = await layer.executeTaskCall({ agentId: "backend_specialist", ...base, outputSchema: schema });
  same<typeof own, AgentResult<{ lines: number }>>(true);

  // Calls made before keep their types, through the layer's maker and through the package's.
  const made = layer.createTaskCall({ agentId: "reviewer_1", ...base, contextData: { file: "a.ts" } });
  made.taskId satisfies string;
  const [fromMade] = await layer.executeMultipleTaskCalls([made]);
  same<typeof fromMade, AgentResult<{ issues: string[] }>>(true);
  const loose = createTaskCall({
    agentId: "backend_specialist_1",
    ...base,
    contextData: { endpoints: ["users", "projects"] },
  });
  const [fromLoose] = await layer.executeMultipleTaskCalls([loose]);
  same<typeof fromLoose, AgentResult<{ ok: boolean }>>(true);

  // @ts-expect-error a typo in the agent's id
  await layer.executeMultipleTaskCalls([{ agentId: "backend_specalist_1", ...base }]);
  // @ts-expect-error a context that is not the agent's
  await layer.executeMultipleTaskCalls([{ agentId: "reviewer_1", ...base, contextData: { file: 7 } }]);
  // @ts-expect-error a context that is missing
  await layer.executeTaskCall({ agentId: "reviewer_1", ...base });
  // @ts-expect-error a typo in the maker
  layer.createTaskCall({ agentId: "reviewr_1", ...base, contextData: { file: "a" } });
  // @ts-expect-error no description
  createTaskCall({ agentId: "a", taskType: "x" });
  // @ts-expect-error a claim with two verbs is two claims
  createTaskCall({ agentId: "a", ...base, claims: [{ wirte: "a" }] });
}

export async function untyped(): Promise<void> {
  // Without agents that are known, any id goes and outputs are JSON.
  const layer = new MCPIntegrationLayer();
  const [result] = await layer.executeMultipleTaskCalls([{ agentId: "anybody", taskType: "x", description: "x" }]);
  same<typeof result, AgentResult<JsonValue>>(true);
  const starred = new MCPIntegrationLayer({ agents: { "*": functionAgent(() => 1), known: functionAgent(() => "a") } });
  const [any, known] = await starred.executeMultipleTaskCalls([
    { agentId: "anybody", taskType: "x", description: "x" },
    { agentId: "known_4", taskType: "x", description: "x" },
  ]);
  same<typeof any, AgentResult<number>>(true);
  same<typeof known, AgentResult<string>>(true);
}

export class GpuManager extends ParallelTaskManager {
  protected override identifyRequiredResources(
    task: Parameters<ParallelTaskManager["submit"]>[0] & { taskId: string; workflowId: string; group: "general" },
  ) {
    const claims = super.identifyRequiredResources(task);
    if (task.contextData?.requires_gpu === true) claims.add("gpu_compute");
    return claims.add("schema", { mode: "shared" });
  }
}
