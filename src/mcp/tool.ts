/** One tool: what is said of it, what it takes, what it does. */
import type * as z from "zod";
import type { Clock } from "../index.ts";
import type { Answer } from "./answers.ts";
import type { Desk } from "./desk.ts";
import type { Progress } from "./progress.ts";

export interface Tooling {
  /** Loaded when it is first asked for. */
  readonly desk: () => Promise<Desk>;
  readonly clock: Clock;
  /** Ends what tasks said: drawn anew for each answer. */
  readonly newMark: () => string;
}

/** One call of a host. */
export interface Call {
  /** Aborts when the host gives up on it, or is gone. */
  readonly signal: AbortSignal;
  /** What the host calls it; undefined when it does not say. */
  readonly callId: string | undefined;
  readonly client: string;
  readonly say: (progress: Progress) => void;
}

export interface ToolDefinition<Input extends z.ZodType> {
  readonly name: string;
  readonly title: string;
  readonly description: string;
  readonly annotations: {
    readonly readOnlyHint: boolean;
    readonly destructiveHint?: boolean;
    readonly idempotentHint?: boolean;
    readonly openWorldHint?: boolean;
  };
  readonly input: Input;
  readonly run: (input: z.infer<Input>, call: Call) => Promise<Answer>;
}

/** A tool whose input is not known by type any more: it is parsed before it is run. */
export interface Tool extends Omit<ToolDefinition<z.ZodType>, "run"> {
  readonly run: (input: unknown, call: Call) => Promise<Answer>;
}

export function defineTool<Input extends z.ZodType>(definition: ToolDefinition<Input>): Tool {
  // The server hands over what the schema let through.
  return { ...definition, run: (input, call) => definition.run(input as z.infer<Input>, call) };
}
