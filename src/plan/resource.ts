/**
 * Which of several declarations of one resource counts.
 *
 * One name is one resource per machine whoever declares it. The user's own file is the authority; otherwise the smallest
 * number counts; the default (`build`) only where nobody says anything.
 */
import {
  DEFAULT_DECLARER,
  type DeclaredResource,
  declareResources,
  type ResourceDeclaration,
} from "../core/declared.ts";
import { errorCode, type LockyardError } from "../core/errors.ts";
import { type FaultList, type Path, phrase } from "./faults.ts";

/** A resource and who said so. */
export interface SourcedResource {
  readonly resource: DeclaredResource;
  /** As it was written: what the `resources` option of a manager takes. */
  readonly declaration: ResourceDeclaration;
  /** From the user's own file: wins over every other number. */
  readonly authority: boolean;
}

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
): SourcedResource | undefined {
  const { by, workspace, authority, path, faults } = declarer;
  try {
    const declared = declareResources({ [name]: declaration }, { by, workspace, cores: 1, code: "INVALID_PLAN" });
    const resource = declared.get(name.normalize("NFC"));
    return resource === undefined ? undefined : { resource, declaration, authority };
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
export function defaultResources(cores: number, workspace: string): readonly SourcedResource[] {
  const declared = declareResources({}, { by: DEFAULT_DECLARER, workspace, cores });
  return [...declared.values()].map((resource) => ({
    resource,
    declaration: { capacity: resource.capacity },
    authority: false,
  }));
}

/** The resource that counts among declarations of one name: the authority's, else the smallest, else the default. */
export function effective(declarations: readonly SourcedResource[]): DeclaredResource | undefined {
  const said = declarations.filter(({ resource }) => resource.declaredBy !== DEFAULT_DECLARER);
  const authorities = said.filter(({ authority }) => authority);
  const candidates = authorities.length > 0 ? authorities : said.length > 0 ? said : declarations;
  const bySize = candidates
    .map(({ resource }) => resource)
    .toSorted((a, b) => a.capacity - b.capacity || (b.intervalMs ?? 0) - (a.intervalMs ?? 0));
  return bySize[0];
}

/** What counts for each name, of all that was declared. */
export function effectiveResources(declarations: readonly SourcedResource[]): ReadonlyMap<string, DeclaredResource> {
  const byName = new Map<string, SourcedResource[]>();
  for (const declaration of declarations) {
    const { name } = declaration.resource;
    const several = byName.get(name);
    if (several === undefined) byName.set(name, [declaration]);
    else several.push(declaration);
  }
  const counting = new Map<string, DeclaredResource>();
  for (const [name, several] of byName) {
    const resource = effective(several);
    if (resource !== undefined) counting.set(name, resource);
  }
  return counting;
}
