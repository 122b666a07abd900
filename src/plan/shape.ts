/** Which schemas apply at a path of a zod grammar: what its complaints do not say, and a good hint needs. */
import type * as z from "zod";
import type { Path } from "./faults.ts";
import { lookUp } from "./template.ts";
import { type Wording, wordings } from "./words.ts";

type Schema = z.core.$ZodType;

/** The schemas a value at `path` may satisfy. Of unions told apart by a `kind`, only the one the data chose. */
export function schemasAt(root: Schema, path: Path, data: unknown): readonly Schema[] {
  let schemas = alternatives(root, data);
  for (const [depth, step] of path.entries()) {
    const value = lookUp(data, path.slice(0, depth + 1));
    schemas = schemas.flatMap((schema) => inside(schema, step)).flatMap((schema) => alternatives(schema, value));
  }
  return schemas;
}

/** Keys an object at `path` may have. */
export function keysAt(root: Schema, path: Path, data: unknown): readonly string[] {
  const keys = schemasAt(root, path, data).flatMap((schema) => {
    const { def } = internals(schema);
    return def.type === "object" ? Object.keys(def.shape) : [];
  });
  return [...new Set(keys)];
}

/** How what is expected at `path` is named. */
export function wordingAt(root: Schema, path: Path, data: unknown): Wording | undefined {
  const parent = schemasAt(root, path.slice(0, -1), data);
  const last = path.at(-1);
  const direct = last === undefined ? [root] : parent.flatMap((schema) => inside(schema, last));
  for (const schema of direct) {
    for (let inner: Schema | undefined = schema; inner !== undefined; inner = unwrapped(inner)) {
      const wording = wordings.get(inner);
      if (wording !== undefined) return wording;
    }
  }
  return undefined;
}

type Def =
  | { readonly type: "object"; readonly shape: Readonly<Record<string, Schema>> }
  | { readonly type: "record"; readonly valueType: Schema }
  | { readonly type: "array"; readonly element: Schema }
  | { readonly type: "union"; readonly options: readonly Schema[]; readonly discriminator?: string }
  | { readonly type: "optional"; readonly innerType: Schema }
  | { readonly type: "literal"; readonly values: readonly unknown[] }
  | { readonly type: "other" };

/** zod's definition of a schema, as far as this grammar uses it. */
function internals(schema: Schema): { readonly def: Def } {
  return { def: schema._zod.def as unknown as Def }; // zod types its definitions by class; the tag tells them apart
}

function unwrapped(schema: Schema): Schema | undefined {
  const { def } = internals(schema);
  return def.type === "optional" ? def.innerType : undefined;
}

function alternatives(schema: Schema, value: unknown): readonly Schema[] {
  const { def } = internals(schema);
  if (def.type === "optional") return alternatives(def.innerType, value);
  if (def.type !== "union") return [schema];
  const { discriminator } = def;
  const chosen = discriminator === undefined ? undefined : lookUp(value, [discriminator]);
  if (discriminator === undefined || chosen === undefined)
    return def.options.flatMap((option) => alternatives(option, value));
  const fitting = def.options.filter((option) => {
    const tag = inside(option, discriminator)[0];
    const tagDef = tag === undefined ? undefined : internals(tag).def;
    return tagDef?.type === "literal" && tagDef.values.includes(chosen);
  });
  return (fitting.length === 0 ? def.options : fitting).flatMap((option) => alternatives(option, value));
}

function inside(schema: Schema, step: string | number): readonly Schema[] {
  const { def } = internals(schema);
  switch (def.type) {
    case "object": {
      const member = Object.hasOwn(def.shape, step) ? def.shape[step] : undefined;
      return member === undefined ? [] : [member];
    }
    case "record":
      return [def.valueType];
    case "array":
      return [def.element];
    default:
      return [];
  }
}
