/** Names, paths, claims: see basics.ts. */
export { ancestorsOf, SHARED } from "../core/claims.ts";
export { DEFAULT_DECLARER, standing } from "../core/counters.ts";
export { nameNode, workspaceId } from "../core/names.ts";
export { pathNode, resourceId } from "../core/paths.ts";
export { gitNode } from "../resources/git.ts";
export { realRoot } from "../resources/real-path.ts";
