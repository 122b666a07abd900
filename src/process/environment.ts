/** What a child may see of our environment: a short list, what was declared, nothing else. Secrets stay here by default. */

const PASSED: ReadonlySet<string> = new Set([
  "PATH",
  "HOME",
  "LANG",
  "TERM",
  "TMPDIR",
  "SHELL",
  "USER",
  "LOGNAME",
  "TZ",
  // Without these no process starts on Windows.
  "SystemRoot",
  "SYSTEMROOT",
  "PATHEXT",
  "COMSPEC",
  "TEMP",
  "TMP",
]);

export interface EnvironmentParts {
  /** Normally `process.env`. */
  readonly inherited: Readonly<Record<string, string | undefined>>;
  /** Names passed on besides the allow-list. */
  readonly passed?: readonly string[] | undefined;
  /** Set by the user; wins over what is inherited. */
  readonly declared?: Readonly<Record<string, string>> | undefined;
  /** Set by Lockyard; wins over everything. */
  readonly own: Readonly<Record<string, string>>;
}

/** PATH, HOME, LANG, LC_*, TERM, TMPDIR, SHELL, USER, LOGNAME, TZ and LOCKYARD_* are passed on; the rest must be declared. */
export function childEnvironment(parts: EnvironmentParts): Record<string, string> {
  const passed = new Set(parts.passed);
  // Without a prototype: a variable may be called `__proto__`.
  const environment: Record<string, string> = Object.create(null);
  for (const [name, value] of Object.entries(parts.inherited)) {
    if (value !== undefined && (isPassed(name) || passed.has(name))) environment[name] = value;
  }
  for (const [name, value] of Object.entries(parts.declared ?? {})) environment[name] = String(value);
  for (const [name, value] of Object.entries(parts.own)) environment[name] = value;
  return environment;
}

function isPassed(name: string): boolean {
  return PASSED.has(name) || name.startsWith("LC_") || name.startsWith("LOCKYARD_");
}
