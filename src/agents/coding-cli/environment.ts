/** Which of our own variables a coding agent may need. */
import { type Dialect, NETWORK_VARIABLES } from "./dialect.ts";

export function passedNames({ passes }: Dialect, inherited: Readonly<Record<string, string | undefined>>): string[] {
  const patterns = [...NETWORK_VARIABLES, ...passes];
  const fits = (name: string, pattern: string) =>
    pattern.endsWith("*") ? name.startsWith(pattern.slice(0, -1)) : name === pattern;
  return Object.keys(inherited).filter((name) => patterns.some((pattern) => fits(name, pattern)));
}
