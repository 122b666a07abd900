/** What differs between the command lines of coding agents. Pure: how one is started, and what its events mean. */
import type { JsonObject, JsonValue } from "../../core/task.ts";

export type CodingCli = "claude-code" | "codex" | "gemini" | "opencode";

/** `plan`: looks, changes nothing. `edits`: changes files, asks nobody. `full`: whatever it wants, without a sandbox. */
export type Permissions = "plan" | "edits" | "full";

/** What one attempt wants of the command line. */
export interface Wish {
  readonly model: string | undefined;
  readonly permissions: Permissions;
  readonly maxCostUsd: number | undefined;
  /** The shape of the answer, where the task says one. */
  readonly schema: JsonObject | undefined;
  /** Where the schema stands as a file; for those that read one. */
  readonly schemaFile: string | undefined;
  /** A person's own, added last but for the end of the options. */
  readonly args: readonly string[];
}

/** What a stream has said so far. Events change it; what it says when the program has ended is the verdict. */
export interface Account {
  /** The last message. */
  text: string;
  /** The answer in the shape that was asked for, where the command line keeps to one by itself. */
  structured: JsonValue | undefined;
  /** All that were read, cached ones included. */
  inputTokens: number;
  outputTokens: number;
  costUsd: number | undefined;
  /** The event was seen by which a turn ends well. */
  isOver: boolean;
  failure: Failure | undefined;
  /** Tools it wanted and was not allowed. */
  readonly denied: string[];
  /** How a person goes on with this session. */
  resume: string | undefined;
}

export interface Failure {
  readonly message: string;
  /** Of HTTP, where it is told. */
  readonly status?: number | undefined;
  readonly retryAfterMs?: number | undefined;
}

/** What is worth telling of an event. `retrying` is no sign of life: a dead provider is retried for ever. */
export interface Notice {
  readonly kind: "said" | "doing" | "retrying";
  readonly text: string;
}

export interface Dialect {
  /** As people call it. */
  readonly title: string;
  /** Looked for in PATH. */
  readonly program: string;
  /** How to get it. */
  readonly install: string;
  /** Variables of ours it may need: names, or with `*` at the end what they begin with. Never what says who started us. */
  readonly passes: readonly string[];
  /** How it is told the shape of the answer: it keeps to one by itself, or it is asked to in words. */
  keepsTo(schema: JsonObject): "text" | "file" | "words";
  /** Arguments behind the program. The prompt comes on stdin: it may be long, and begin with a dash. */
  argv(wish: Wish): readonly string[];
  /** Variables it is told by. */
  env?(wish: Wish): Readonly<Record<string, string>>;
  /** Whether it can stop at a cost by itself. */
  readonly hasCostLimit: boolean;
  /** Signals to the program itself by which it ends in good order, before everything of it is told to. */
  readonly polite: readonly NodeJS.Signals[];
  /** Takes in one event. Unknown ones are none of our business: newer versions say more. */
  hear(event: JsonObject, account: Account): Notice | undefined;
}

export function newAccount(): Account {
  return {
    text: "",
    structured: undefined,
    inputTokens: 0,
    outputTokens: 0,
    costUsd: undefined,
    isOver: false,
    failure: undefined,
    denied: [],
    resume: undefined,
  };
}

/** Variables every one of them needs to reach its provider. */
export const NETWORK_VARIABLES: readonly string[] = [
  "HTTP_PROXY",
  "HTTPS_PROXY",
  "NO_PROXY",
  "ALL_PROXY",
  "http_proxy",
  "https_proxy",
  "no_proxy",
  "all_proxy",
  "SSL_CERT_FILE",
  "SSL_CERT_DIR",
  "NODE_EXTRA_CA_CERTS",
  "XDG_*",
];
