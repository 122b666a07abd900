/** How a layer's agents give their types to calls and results. Types only. */
import type { AgentFor, AgentIdOf, Agents, ContextOf, OutputOf } from "../core/agent-types.ts";
import type { AgentResult, JsonObject, JsonValue, StandardSchema, TaskCall } from "../core/task.ts";

/** What literals written in place infer as must be accepted where mutable arrays are declared. */
export type DeepReadonly<T> = JsonValue extends T
  ? T
  : T extends readonly (infer Item)[]
    ? readonly DeepReadonly<Item>[]
    : T extends object
      ? string extends keyof T
        ? T
        : { readonly [Key in keyof T]: DeepReadonly<T[Key]> }
      : T;

type ContextField<Context> = unknown extends Context
  ? { readonly contextData?: JsonObject }
  : Record<never, never> extends Context
    ? { readonly contextData?: DeepReadonly<Context> }
    : { readonly contextData: DeepReadonly<Context> };

type CallOf<Id extends string, Context> = Omit<TaskCall<Id>, "contextData" | "outputSchema"> &
  ContextField<Context> & { readonly outputSchema?: StandardSchema };

/** A call one of these agents can take: a wrong id or a wrong context does not compile. */
export type LayerCall<Given extends Agents> =
  string extends AgentIdOf<Given>
    ? Omit<TaskCall<string, object>, "outputSchema"> & { readonly outputSchema?: StandardSchema }
    :
        | CallOf<PlainAgents<Given> | `${PlainAgents<Given>}_${number}`, JsonObject>
        | {
            [Key in Exclude<keyof Given & string, PlainAgents<Given>>]: CallOf<
              Key | `${Key}_${number}`,
              ContextOf<Given[Key]>
            >;
          }[Exclude<keyof Given & string, PlainAgents<Given>>];

/** Agents that take any JSON: their calls are one type, so that an id may be one of several. */
type PlainAgents<Given extends Agents> = {
  [Key in keyof Given & string]: JsonObject extends ContextOf<Given[Key]>
    ? ContextOf<Given[Key]> extends JsonObject
      ? Key
      : never
    : never;
}[keyof Given & string];

type OutputOfCall<Given extends Agents, Call> = Call extends { readonly outputSchema: StandardSchema<infer Output> }
  ? Output
  : Call extends { readonly outputSchema?: StandardSchema<infer Output> | undefined }
    ? unknown extends Output
      ? OutputOfAgent<Given, Call>
      : JsonValue extends Output
        ? OutputOfAgent<Given, Call>
        : Output
    : OutputOfAgent<Given, Call>;

type OutputOfAgent<Given extends Agents, Call> = Call extends { readonly agentId: infer Id extends string }
  ? [AgentFor<Given, Id>] extends [never]
    ? JsonValue
    : Known<OutputOf<AgentFor<Given, Id>>>
  : JsonValue;

/** Of an agent that does not say what it returns, results say what every result is. */
type Known<Output> = unknown extends Output ? JsonValue : Output;

/** The result of a call: its output has the type of the call's schema, else of its agent. */
export type ResultOf<Given extends Agents, Call> = AgentResult<OutputOfCall<Given, Call>>;

/** Tuple in, tuple out. */
export type ResultsOf<Given extends Agents, Calls extends readonly unknown[]> = {
  -readonly [Index in keyof Calls]: ResultOf<Given, Calls[Index]>;
};

/** A call made by `layer.createTaskCall`: it keeps the types of its agent. */
export type CreatedCall<Given extends Agents, Call> = Call & { readonly taskId: string } & {
  readonly outputSchema?: StandardSchema<OutputOfCall<Given, Call>>;
};
