/** What can be said of a plan before it runs: see basics.ts. */
export type { DeclaredResource } from "../core/declared.ts";
export { analysePlan, type PlanAnalysis } from "../planning/analysis.ts";
export { taskGraph } from "../planning/graph.ts";
export { layoutOf } from "../planning/layout.ts";
export { builtinResourceManager } from "../resources/identify.ts";
export { resolveClaims, resolveContext } from "../resources/resolve.ts";
