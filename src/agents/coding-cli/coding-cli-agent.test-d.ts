/** What the compiler must infer; checked by the type checker, never run. */
import * as z from "zod";
import { type ContextOf, defineAgents, type OutputOf } from "../../core/agent-types.ts";
import type { JsonObject, JsonValue } from "../../core/task.ts";
import { codingCliAgent } from "./coding-cli-agent.ts";

type Same<A, B> = (<T>() => T extends A ? 1 : 2) extends <T>() => T extends B ? 1 : 2 ? true : false;
function same<A, B>(_: Same<A, B>): void {}

const agents = defineAgents({
  counter: codingCliAgent({
    kind: "codex",
    context: z.object({ file: z.string() }),
    outputSchema: z.object({ count: z.number() }),
    claims: ({ file }) => [{ write: file }],
  }),
});
const writer = codingCliAgent({ kind: "claude-code" });

same<OutputOf<(typeof agents)["counter"]>, { count: number }>(true);
same<ContextOf<(typeof agents)["counter"]>, { file: string }>(true);
same<OutputOf<typeof writer>, JsonValue>(true);
same<ContextOf<typeof writer>, JsonObject>(true);

// @ts-expect-error: no such command line
codingCliAgent({ kind: "claude" });
