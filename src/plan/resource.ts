/**
 * Which of several declarations of one resource counts.
 *
 * One name is one resource per machine whoever declares it. The user's own file is the authority; otherwise the smallest
 * number counts; the default (`build`) only where nobody says anything.
 */
import { DEFAULT_DECLARER } from "../core/counters.ts";
import { type DeclaredResource, declareResources, type ResourceDeclaration } from "../core/declared.ts";
import { errorCode, type LockyardError } from "../core/errors.ts";
import { type FaultList, type Path, phrase } from "./faults.ts";

export interface Declarer {
  readonly path: Path;
  readonly faults: FaultList;
  readonly by: string;
  readonly workspace: string;
  readonly authority: boolean;
}

/** One declaration, or undefined after its faults were noted. */
export function readResource(
  name: string,
  declaration: ResourceDeclaration,
  declarer: Declarer,
): DeclaredResource | undefined {
  const { by, workspace, authority, path, faults } = declarer;
  try {
    const options = { by, workspace, authority, cores: 1, code: "INVALID_PLAN" } as const;
    return declareResources({ [name]: declaration }, options).get(name.normalize("NFC"));
  } catch (error) {
    if (errorCode(error) === undefined || errorCode(error) === "BUG") throw error;
    for (const { what, hint } of (error as LockyardError).faults) {
      // has a code: one of ours
      faults.add(
        { path, at: "key" },
        `${JSON.stringify(name)}: ${phrase(what)}`,
        hint === undefined ? undefined : phrase(hint),
      );
    }
    return undefined;
  }
}

/** `build` exists from the start: one unit for every four cores, at least one. */
export function defaultResources(cores: number, workspace: string): readonly DeclaredResource[] {
  return [...declareResources({}, { by: DEFAULT_DECLARER, workspace, cores }).values()];
}

/** The resource that counts among declarations of one name: the authority's, else the smallest, else the default. */
export function effective(declarations: readonly DeclaredResource[]): DeclaredResource | undefined {
  const said = declarations.filter(({ declaredBy }) => declaredBy !== DEFAULT_DECLARER);
  const authorities = said.filter(({ authority }) => authority);
  const candidates = authorities.length > 0 ? authorities : said.length > 0 ? said : declarations;
  const bySize = candidates.toSorted((a, b) => a.capacity - b.capacity || (b.intervalMs ?? 0) - (a.intervalMs ?? 0));
  return bySize[0];
}

/** What counts for each name, of all that was declared. */
export function effectiveResources(declarations: readonly DeclaredResource[]): ReadonlyMap<string, DeclaredResource> {
  const byName = new Map<string, DeclaredResource[]>();
  for (const declaration of declarations) {
    const several = byName.get(declaration.name);
    if (several === undefined) byName.set(declaration.name, [declaration]);
    else several.push(declaration);
  }
  const counting = new Map<string, DeclaredResource>();
  for (const [name, several] of byName) {
    const resource = effective(several);
    if (resource !== undefined) counting.set(name, resource);
  }
  return counting;
}
