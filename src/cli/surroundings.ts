/** What every command is given: where it speaks, where it stands. */
import type { Environment } from "./terminal/capabilities.ts";
import type { Output } from "./terminal/output.ts";

export interface Surroundings {
  readonly out: Output;
  /** For warnings and errors: what is piped stays clean. */
  readonly err: Output;
  readonly env: Environment;
  /** Absolute. */
  readonly cwd: string;
}

/** Options of every command. */
export interface CommonOptions {
  readonly json?: boolean;
  /** A file, or `memory`. */
  readonly store?: string;
}
