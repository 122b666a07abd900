/**
 * How the types of a record of agents reach its calls: `defineAgents` keeps the literal keys, an agent carries the types
 * of its context and output, and a call's agent id finds both. Types only; nothing here runs but one identity function.
 */
import type { Agent } from "./ports.ts";
import type { AgentTask, JsonObject, JsonValue } from "./task.ts";

/** An agent that knows its types. `~types` exists only for the compiler. */
export interface TypedAgent<Context = JsonObject, Output = JsonValue> extends Agent<Context, Output> {
  readonly "~types"?: { readonly context: Context; readonly output: Output };
}

export type Agents = Readonly<Record<string, Agent>>;

/** A task whose context was parsed by its agent's schema, and is therefore there. */
export type TaskWithContext<Context> = AgentTask<string, Context> & { readonly contextData: Context };

/** Keeps the keys of a record of agents, so that agent ids and the types of their calls are inferred. */
export function defineAgents<const Given extends Agents>(agents: Given): Given {
  return agents;
}

/** `"reviewer" | `reviewer_${number}``; any string when there is an agent for `"*"`. */
export type AgentIdOf<Given> = string extends keyof Given
  ? string
  : "*" extends keyof Given
    ? string
    : { [Key in keyof Given & string]: Key | `${Key}_${number}` }[keyof Given & string];

/** The agent an id finds: by id, then by type, then `"*"`. */
export type AgentFor<Given, Id extends string> = Id extends keyof Given
  ? Given[Id]
  : [AgentOfType<Given, Id>] extends [never]
    ? "*" extends keyof Given
      ? Given["*" & keyof Given]
      : never
    : AgentOfType<Given, Id>;

type AgentOfType<Given, Id extends string> = {
  [Key in keyof Given & string]: Id extends `${Key}_${number}` ? Given[Key] : never;
}[keyof Given & string];

type TypesOf<SomeAgent> = SomeAgent extends { readonly "~types"?: infer Types } ? NonNullable<Types> : never;

/** The type of `contextData` for calls to this agent. */
export type ContextOf<SomeAgent> =
  TypesOf<SomeAgent> extends { readonly context: infer Context } ? Context : JsonObject;

/** The type of `output` in results of this agent. */
export type OutputOf<SomeAgent> = TypesOf<SomeAgent> extends { readonly output: infer Output } ? Output : JsonValue;
