/** What a scripted model says, and what it was asked, in words that fit every host. */

/** A tool the model wants run. `server`: a tool of that MCP server; each host spells those names in its own way. */
export interface Call {
  readonly tool: string;
  readonly server?: string;
  readonly input: unknown;
}

/** One answer of the model. A turn without calls ends the host's turn. */
export interface Turn {
  readonly text?: string;
  readonly calls?: readonly Call[];
  /** The answer is given only after this: how a test orders two sessions. */
  readonly after?: Promise<unknown>;
  /** Answered with this status instead; the host's next try gets the next turn. */
  readonly fail?: { readonly status: number; readonly retryAfterS?: number };
  /** `before`: no answer at all; `within`: half an answer, then nothing. */
  readonly hang?: "before" | "within";
  /** A pause between the pieces of the answer. */
  readonly pieceMs?: number;
}

/** What came back from one tool call. */
export interface ToolResult {
  readonly id: string;
  readonly text: string;
  /** Only the Anthropic protocol says it; elsewhere the text must. */
  readonly isError: boolean;
}

/** One request of a host. */
export interface Asked {
  /** Rounds of tool calls that lie behind it in its conversation. */
  readonly round: number;
  /** The results of the last round. */
  readonly results: readonly ToolResult[];
  /** What the person (or the host in its name) said: all user texts of the conversation. */
  readonly said: string;
  readonly system: string;
  readonly tools: readonly string[];
  readonly model: string;
  readonly streams: boolean;
  /** As it came. */
  readonly body: unknown;
}

export interface Reply {
  /** Hosts take messages of one id for pieces of one message. */
  readonly id: string;
  readonly text: string;
  readonly calls: readonly (Call & { readonly id: string })[];
}

/** One wire protocol. */
export interface Dialect {
  /** Undefined: not a request for an answer. */
  parse(path: string, body: unknown): Omit<Asked, "body"> | undefined;
  /** What other paths are answered with; undefined is a 404. */
  other(method: string, path: string): unknown;
  /** Pieces of an event stream. */
  stream(reply: Reply, asked: Asked): string[];
  /** The same as one JSON value. */
  whole(reply: Reply, asked: Asked): unknown;
  failure(status: number): unknown;
}

export function field(value: unknown, name: string): unknown {
  return typeof value === "object" && value !== null ? (value as Record<string, unknown>)[name] : undefined;
}

export function list(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? value : [];
}

export function text(value: unknown): string {
  return typeof value === "string" ? value : "";
}

/** Texts of a content that is a string or a list of parts. */
export function textOf(content: unknown): string {
  if (typeof content === "string") return content;
  const parts = list(content).map((part) => (typeof part === "string" ? part : text(field(part, "text"))));
  return parts.filter((part) => part !== "").join("\n");
}

export function event(type: string, data: object): string {
  return `event: ${type}\ndata: ${JSON.stringify({ type, ...data })}\n\n`;
}

/** The names of tools: at the top, or inside a function or a list of declarations. */
export function toolNames(tools: unknown): readonly string[] {
  return list(tools).flatMap((tool) => {
    const declared = list(field(tool, "functionDeclarations"));
    if (declared.length > 0) return toolNames(declared);
    return [text(field(tool, "name")) || text(field(field(tool, "function"), "name")) || text(field(tool, "type"))];
  });
}

/** Rounds of calls in a conversation: runs of neighbours that are calls. */
export function roundsOf(items: readonly unknown[], isCall: (item: unknown) => boolean): number {
  return items.filter((item, index) => isCall(item) && (index === 0 || !isCall(items[index - 1]))).length;
}

/** The items after the last one that is no result. */
export function lastRun<Item>(items: readonly Item[], isResult: (item: Item) => boolean): readonly Item[] {
  return items.slice(items.findLastIndex((item) => !isResult(item)) + 1);
}
