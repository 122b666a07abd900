/** What a plan would do, as data: every task with its claims and where they come from, and what can be said of the whole. */
import { statSync } from "node:fs";
import { realRoot, resourceId, SHARED, workspaceId } from "../../edges/names.ts";
import {
  analysePlan,
  builtinResourceManager,
  type DeclaredResource,
  type PlanAnalysis,
  resolveClaims,
  resolveContext,
} from "../../edges/plan.ts";
import type { AgentTask, Claim } from "../../index.ts";
import type { Member } from "../../plan/member.ts";
import { effectiveResources } from "../../plan/resource.ts";
import type { LoadedPlan } from "../plan-file.ts";
import { relocated } from "../run/plan-manager.ts";

export interface PreviewedClaim {
  readonly claim: Claim;
  /** `plan`, or what it was inferred from. */
  readonly from: string;
}

export interface PreviewedTask {
  readonly member: Member;
  readonly claims: readonly PreviewedClaim[];
}

export interface Preview {
  readonly tasks: readonly PreviewedTask[];
  readonly analysis: PlanAnalysis;
  readonly concurrency: number;
  /** Readers of what others write: R20. */
  readonly readers: readonly ReaderWarning[];
  /** Name of a node for people. */
  readonly nameOf: (node: string) => string;
}

/** A task that reads a whole directory keeps everybody from writing there. */
export interface ReaderWarning {
  readonly taskId: string;
  readonly resourceId: string;
  /** Tasks of this plan that write there. */
  readonly writers: number;
}

/** Works out claims and analysis. Throws INVALID_CLAIM and the like as the engine would at submission. */
export function previewOf({ plan, config, expanded }: LoadedPlan, concurrency: number): Preview {
  const declared = effectiveResources([...config.declared, ...Object.values(plan.resources)]);
  const root = realRoot(config.root);
  const context = resolveContext({ root, workspace: workspaceId(root), declared });
  const manager = builtinResourceManager();
  const members = relocated(expanded.tasks, plan.root, config.root);
  const tasks = expanded.tasks.map((member) => ({ member, claims: claimsOf(member, manager) }));
  const planned = members.map((member, at) => {
    const inferred = (tasks[at]?.claims ?? []).filter(({ from }) => from !== PLAN).map(({ claim }) => claim);
    const { claims } = resolveClaims([...(member.call.claims ?? []), ...inferred], context);
    return { taskId: member.call.taskId, dependsOn: member.call.dependsOn, claims };
  });
  const nameOf = (node: string) => resourceId(node, root);
  const analysis = analysePlan(planned, { concurrency, capacities: capacitiesOf(declared), nameOf });
  const readers = planned.flatMap(({ taskId, claims }) =>
    claims
      .filter(({ node, mode }) => mode === SHARED && node.startsWith("f:"))
      .flatMap(({ node }) => {
        const below = `${node}/`;
        const writers = planned.filter(
          (other) =>
            other.taskId !== taskId &&
            other.claims.some((claim) => claim.mode !== SHARED && claim.node.startsWith(below)),
        ).length;
        return writers > 0 || isDirectory(node) ? [{ taskId, resourceId: nameOf(node), writers }] : [];
      }),
  );
  return { tasks, analysis, concurrency, readers, nameOf };
}

function isDirectory(node: string): boolean {
  return statSync(node.slice(2) || "/", { throwIfNoEntry: false })?.isDirectory() === true;
}

/** The source of a claim that the plan itself makes. */
export const PLAN = "plan";

function claimsOf(member: Member, manager: ReturnType<typeof builtinResourceManager>): readonly PreviewedClaim[] {
  const own = (member.call.claims ?? []).map((claim) => ({ claim, from: PLAN }));
  if (!member.identify) return own;
  const task: AgentTask = { ...member.call, workflowId: "plan", group: "general" };
  return [...own, ...manager.identify(task)];
}

function capacitiesOf(declared: ReadonlyMap<string, DeclaredResource>) {
  return new Map(
    [...declared.values()].map(({ node, capacity, intervalMs }) => [
      node,
      { capacity, ...(intervalMs === undefined ? {} : { intervalMs }) },
    ]),
  );
}

/** `write docs/a.md`, `use build:2`, `lock db (shared)`. */
export function claimText(claim: Claim): string {
  if ("write" in claim) return `write ${claim.write}`;
  if ("read" in claim) return `read ${claim.read}`;
  if ("observe" in claim) return `observe ${claim.observe}`;
  if ("use" in claim) return `use ${claim.use}${claim.units === undefined ? "" : `:${claim.units}`}`;
  return `lock ${claim.lock}${claim.mode === "shared" ? " (shared)" : ""}`;
}
