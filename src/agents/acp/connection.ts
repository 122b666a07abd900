/** The line to one program: its output is read as messages, whatever it prints, and closed when the program has ended. */
import { BOUNDS } from "../../core/bounds.ts";
import { LockyardError } from "../../core/errors.ts";
import type { AgentContext } from "../../core/ports.ts";
import { Capture, drain } from "../../process/output.ts";
import type { Redactor } from "../../process/redact.ts";
import type { SpawnedChild } from "../../process/spawn.ts";
import { TextLines } from "../../process/text-lines.ts";
import { within } from "../../process/within.ts";
import type { Conversation } from "./conversation.ts";
import { RpcPeer } from "./json-rpc.ts";

/** How long output may still come after the program has ended: somebody it started may hold the pipe open for ever. */
const DRAIN_MS = 500;

/** What requests are rejected with when the program is gone, or closed its output. */
export class ConnectionClosed extends Error {
  override readonly name = "ConnectionClosed";
}

export class Connection {
  readonly peer: RpcPeer;
  readonly #stderr = new Capture();
  readonly #child: SpawnedChild;
  readonly #drained: Promise<unknown>;
  readonly #closed: Promise<void>;

  constructor(
    child: SpawnedChild,
    { conversation, ctx, redactor }: { conversation: Conversation; ctx: AgentContext; redactor: Redactor },
  ) {
    this.#child = child;
    this.peer = new RpcPeer((line) => this.#send(line), conversation);
    const lines = new TextLines(
      { line: (text) => this.peer.take(text), tooLong: () => conversation.tooLong() },
      BOUNDS.acpLineBytes,
    );
    const stdout = drain(child.stdout, (chunk) => lines.push(chunk)).then(() => lines.end());
    const stderr = this.#drainStderr(ctx, redactor);
    this.#drained = Promise.all([stdout, stderr]);
    const over = child.exited.then(() => within(ctx.clock, DRAIN_MS, stdout));
    this.#closed = Promise.race([stdout, over]).then(() => this.peer.close(new ConnectionClosed("the line is closed")));
  }

  /** The last it printed for people. */
  lastWords(maxBytes: number): string {
    return this.#stderr.lastLines(maxBytes);
  }

  /** Gives up what is still open. */
  async close(): Promise<void> {
    this.#child.stdin?.destroy();
    this.#child.stdout.destroy();
    this.#child.stderr.destroy();
    await this.#closed;
    await this.#drained;
  }

  async #drainStderr(ctx: AgentContext, redactor: Redactor): Promise<void> {
    const redacted = redactor.stream();
    const decoder = new TextDecoder("utf-8", { ignoreBOM: true });
    const take = (bytes: Buffer) => {
      const text = decoder.decode(bytes, { stream: true });
      if (text !== "") ctx.emit({ stream: "stderr", text });
      return this.#stderr.push(bytes);
    };
    await drain(this.#child.stderr, (chunk) => take(redacted.push(chunk)));
    await take(redacted.end());
  }

  #send(line: string): void {
    const { stdin } = this.#child;
    if (stdin === null || stdin.destroyed) return;
    if (stdin.writableLength > BOUNDS.acpUnreadBytes) {
      this.peer.close(new LockyardError("AGENT_FAILED", "The agent asks and does not read the answers."));
      return;
    }
    stdin.write(line);
  }
}
