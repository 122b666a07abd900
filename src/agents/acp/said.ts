/** What an agent said, as its result will hold it: the last thing it wrote, what was refused, what it cost. */
import { BOUNDS } from "../../core/bounds.ts";
import { readMember } from "../../core/member.ts";
import type { AgentContext } from "../../core/ports.ts";
import type { Usage } from "../../core/task.ts";
import { Capture } from "../../process/output.ts";
import type { RedactedStream, Redactor } from "../../process/redact.ts";
import { isOver, type ToolCall } from "./tool-call.ts";

export class Said {
  readonly evidence: string[] = [];
  readonly #ctx: AgentContext;
  readonly #redactor: Redactor;
  /** One message: what it writes between two tool calls. */
  #message = new Capture();
  #stream: RedactedStream;
  #lastMessage = "";
  /** What came outside of the protocol; for the error of a program that ends. */
  readonly #noise = new Capture({ keepBytes: NOISE_BYTES });
  #costUsd: number | undefined;

  constructor(ctx: AgentContext, redactor: Redactor) {
    this.#ctx = ctx;
    this.#redactor = redactor;
    this.#stream = redactor.stream();
  }

  /** The last message, whole or as far as it got. */
  get text(): string {
    this.#closeMessage();
    return this.#lastMessage;
  }

  get costUsd(): number | undefined {
    return this.#costUsd;
  }

  message(text: unknown): void {
    if (typeof text === "string" && text !== "") this.#keep(this.#stream.push(Buffer.from(text, "utf8")));
  }

  /** At its first word and at its end. `name` is fit to be shown. */
  toolCall(name: string, call: ToolCall): void {
    if (!isOver(call)) this.#closeMessage();
    const { kind, status, paths } = call;
    const text = `[${name}]${isOver(call) ? ` ${status}` : ""}\n`;
    this.#ctx.emit({ stream: "tools", text, tool: kind, status: this.#redactor.text(status), paths });
  }

  refused(why: string): void {
    if (this.evidence.length < BOUNDS.evidencePerTask) {
      this.evidence.push(`refused: ${why}`.slice(0, BOUNDS.evidenceChars));
    }
  }

  cost(cost: unknown): void {
    const amount = readMember(cost, "amount");
    if (isAmount(amount) && readMember(cost, "currency") === "USD") this.#costUsd = amount;
  }

  noise(line: string): void {
    void this.#noise.push(Buffer.from(this.#redactor.text(`${line}\n`)));
  }

  noiseText(maxBytes: number): string {
    return this.#noise.lastLines(maxBytes);
  }

  #keep(bytes: Buffer): void {
    if (bytes.length === 0) return;
    void this.#message.push(bytes);
    this.#ctx.emit({ stream: "stdout", text: bytes.toString("utf8") });
  }

  #closeMessage(): void {
    this.#keep(this.#stream.end());
    const text = this.#message.text().trim();
    if (text !== "") this.#lastMessage = text;
    this.#message = new Capture();
    this.#stream = this.#redactor.stream();
  }
}

const NOISE_BYTES = 4_096;

/** What a turn used, in the forms in which agents say it; undefined when they do not. */
export function usageOf(result: unknown, costUsd: number | undefined): Usage | undefined {
  const usage = readMember(result, "usage");
  // Gemini CLI says it in an extension of its own.
  const quota = readMember(readMember(readMember(result, "_meta"), "quota"), "token_count");
  const inputTokens = amountOf(readMember(usage, "inputTokens"), readMember(quota, "input_tokens"));
  const outputTokens = amountOf(readMember(usage, "outputTokens"), readMember(quota, "output_tokens"));
  if (inputTokens === undefined && outputTokens === undefined && costUsd === undefined) return undefined;
  return {
    ...(inputTokens === undefined ? undefined : { inputTokens }),
    ...(outputTokens === undefined ? undefined : { outputTokens }),
    ...(costUsd === undefined ? undefined : { costUsd }),
  };
}

function amountOf(...said: readonly unknown[]): number | undefined {
  return said.find(isAmount);
}

function isAmount(value: unknown): value is number {
  return typeof value === "number" && Number.isFinite(value) && value >= 0;
}
