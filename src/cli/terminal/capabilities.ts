/** What the terminal can do, and so which of the three ways of showing a run fits. */

export type Environment = Readonly<Record<string, string | undefined>>;

export interface OutputStream {
  readonly isTTY?: boolean;
  readonly columns?: number;
  readonly rows?: number;
}

export interface Capabilities {
  /** A person looks at a terminal that understands cursor movement. */
  readonly isInteractive: boolean;
  readonly hasColour: boolean;
  /** Box drawing, bullets and arrows. */
  readonly hasUnicode: boolean;
}

/** `live`: a region at the bottom that is redrawn. `stream`: a line an event. `json`: a JSON object an event. */
export type Ui = "live" | "stream" | "json";

export function capabilitiesOf(stream: OutputStream, env: Environment): Capabilities {
  const isDumb = env.TERM === "dumb";
  const isTerminal = stream.isTTY === true;
  return {
    isInteractive: isTerminal && !isDumb && !isTruthy(env.CI),
    hasColour: wantsColour(env) ?? (isTerminal && !isDumb),
    hasUnicode: hasUnicode(env),
  };
}

/** As Node itself: FORCE_COLOR wins over NO_COLOR; undefined when neither speaks. */
function wantsColour(env: Environment): boolean | undefined {
  const force = env.FORCE_COLOR;
  if (force !== undefined) return force !== "0" && force !== "false";
  return env.NO_COLOR !== undefined && env.NO_COLOR !== "" ? false : undefined;
}

/** The first of LC_ALL, LC_CTYPE, LANG that is set decides. With none, terminals of today show UTF-8. */
function hasUnicode(env: Environment): boolean {
  if (env.TERM === "linux") return false;
  const locale = [env.LC_ALL, env.LC_CTYPE, env.LANG].find((value) => value !== undefined && value !== "");
  return locale === undefined || /utf-?8/i.test(locale) || !/^(?:C|POSIX)(?:\.|$)/.test(locale);
}

export function isTruthy(value: string | undefined): boolean {
  return value !== undefined && value !== "" && value !== "0" && value.toLowerCase() !== "false";
}

/** The way of showing: what was asked for, else what fits. */
export function chooseUi(
  asked: { readonly json?: boolean | undefined; readonly ui?: Ui | undefined },
  capabilities: Capabilities,
): Ui {
  if (asked.json === true) return "json";
  return asked.ui ?? (capabilities.isInteractive ? "live" : "stream");
}
