/** A member of anything; undefined when it has none, or when reading it throws. */
export function readMember(value: unknown, key: string): unknown {
  if ((typeof value !== "object" && typeof value !== "function") || value === null) return undefined;
  try {
    return (value as Readonly<Record<string, unknown>>)[key]; // a cast to ask: anything may be missing
  } catch {
    return undefined;
  }
}
