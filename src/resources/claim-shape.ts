/** The shape of a claim, checked although it is typed: plain JavaScript and JSON come here too. */
import { type ErrorCode, LockyardError } from "../core/errors.ts";
import { suggest } from "../core/suggest.ts";

const VERBS = ["write", "read", "observe", "use", "lock"] as const;
export type Verb = (typeof VERBS)[number];
/** The one key that may stand beside a verb. */
const BESIDE: Readonly<Record<Verb, string>> = { write: "", read: "", observe: "", use: "units", lock: "mode" };

export const FORMS =
  'Write { write: "src/api" }, { read: … }, { observe: … }, { use: "build:2" } or { lock: "db", mode: "shared" }.';

/** What is wrong with a claim; whoever catches it knows where. */
export function refusal(code: ErrorCode, what: string, hint?: string): LockyardError {
  return new LockyardError(code, what, { hint });
}

function isVerb(key: string): key is Verb {
  return key === "write" || key === "read" || key === "observe" || key === "use" || key === "lock";
}

/** What one claim says. Throws INVALID_CLAIM. */
export function parseShape(claim: unknown): { readonly verb: Verb; readonly value: unknown; readonly beside: unknown } {
  if (typeof claim !== "object" || claim === null) throw refusal("INVALID_CLAIM", "must be an object", FORMS);
  const fields = claim as Readonly<Record<string, unknown>>; // an object, as checked above
  const keys = Object.keys(fields);
  const verbs = keys.filter(isVerb);
  const verb = verbs[0];
  if (verb === undefined || verbs.length > 1) {
    throw refusal("INVALID_CLAIM", `must have one verb and has ${verbs.length}`, FORMS);
  }
  const allowed = BESIDE[verb];
  const unknown = keys.find((key) => key !== verb && key !== allowed);
  if (unknown !== undefined) {
    const near = suggest(unknown, allowed === "" ? VERBS : [allowed, ...VERBS]);
    throw refusal("INVALID_CLAIM", `has the unknown key "${unknown}"`, near ? `Did you mean "${near}"?` : FORMS);
  }
  return { verb, value: fields[verb], beside: allowed === "" ? undefined : fields[allowed] };
}

/** `build` · `build:2` · `build` beside `units: 2`. */
export function parseUse(value: string, beside: unknown): { readonly name: string; readonly units: number } {
  const match = /^(.*):([^:]*)$/s.exec(value);
  const name = (match?.[1] ?? value).normalize("NFC");
  const written = match?.[2];
  if (written !== undefined && beside !== undefined) {
    throw refusal("INVALID_CLAIM", `gives the units twice, "${value}" and ${String(beside)}`);
  }
  const units = written === undefined ? (beside ?? 1) : /^\d{1,15}$/.test(written) ? Number(written) : Number.NaN;
  if (!(typeof units === "number" && Number.isSafeInteger(units) && units >= 1)) {
    const given = written ?? String(beside);
    throw refusal("INVALID_CLAIM", `asks for ${given} units of "${name}", which is not a whole number of 1 or more`);
  }
  return { name, units };
}
