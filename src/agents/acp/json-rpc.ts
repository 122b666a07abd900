/**
 * One side of a JSON-RPC 2.0 connection over lines: what the Agent Client Protocol speaks on standard input and output.
 *
 *  J1 nothing the other side sends makes this throw: what is no message is told of and skipped
 *  J2 every request of ours is answered or, when the connection is closed, rejected
 *  J3 what the other side may leave open is bounded; beyond it, its requests are refused
 */
import { BOUNDS } from "../../core/bounds.ts";
import { readMember } from "../../core/member.ts";
import type { JsonObject } from "../../core/task.ts";

export const METHOD_NOT_FOUND = -32_601;
export const INVALID_PARAMS = -32_602;
export const INTERNAL_ERROR = -32_603;

/** What the other side answered instead of a result, or what it shall be answered. */
export class RpcError extends Error {
  override readonly name = "RpcError";
  readonly code: number;
  readonly data: unknown;

  constructor(code: number, message: string, data?: unknown) {
    super(message);
    this.code = code;
    this.data = data;
  }
}

export interface RpcHandler {
  /** Answers a request of the other side; an `RpcError` that is thrown becomes its error. */
  request(method: string, params: unknown): Promise<JsonObject>;
  notification(method: string, params: unknown): void;
  /** A line that is no message. */
  malformed(line: string): void;
}

interface OpenRequest {
  readonly resolve: (result: unknown) => void;
  readonly reject: (error: unknown) => void;
}

export class RpcPeer {
  readonly #send: (line: string) => void;
  readonly #handler: RpcHandler;
  readonly #open = new Map<number, OpenRequest>();
  #lastId = 0;
  #theirs = 0;
  #closedBy: Error | null = null;

  constructor(send: (line: string) => void, handler: RpcHandler) {
    this.#send = send;
    this.#handler = handler;
  }

  /** Resolves with the result. Rejects with an `RpcError`, or with what the connection was closed by. */
  request(method: string, params: JsonObject): Promise<unknown> {
    if (this.#closedBy !== null) return Promise.reject(this.#closedBy);
    const id = ++this.#lastId;
    return new Promise((resolve, reject) => {
      this.#open.set(id, { resolve, reject });
      this.#tell({ id, method, params });
    });
  }

  notify(method: string, params: JsonObject): void {
    this.#tell({ method, params });
  }

  /** A line the other side sent. */
  take(line: string): void {
    if (line.trim() === "") return;
    const message = parsed(line);
    const method = readMember(message, "method");
    const id = readMember(message, "id");
    if (typeof method === "string") {
      const params = readMember(message, "params");
      if (id === undefined) this.#handler.notification(method, params);
      else if (isId(id)) void this.#answer(id, method, params);
      else this.#handler.malformed(line);
      return;
    }
    const open = typeof id === "number" ? this.#open.get(id) : undefined;
    if (open === undefined || typeof id !== "number") {
      this.#handler.malformed(line);
      return;
    }
    this.#open.delete(id);
    const error = readMember(message, "error");
    if (error === undefined || error === null) open.resolve(readMember(message, "result"));
    else open.reject(errorOf(error));
  }

  /** Rejects what is open and whatever is asked later. */
  close(reason: Error): void {
    this.#closedBy ??= reason;
    for (const { reject } of this.#open.values()) reject(this.#closedBy);
    this.#open.clear();
  }

  async #answer(id: string | number | null, method: string, params: unknown): Promise<void> {
    if (this.#theirs >= BOUNDS.acpOpenRequests) {
      const message = `${BOUNDS.acpOpenRequests} requests are open already`;
      this.#tell({ id, error: { code: INTERNAL_ERROR, message } });
      return;
    }
    this.#theirs++;
    try {
      this.#tell({ id, result: await this.#handler.request(method, params) });
    } catch (error) {
      const code = error instanceof RpcError ? error.code : INTERNAL_ERROR;
      this.#tell({ id, error: { code, message: error instanceof Error ? error.message : String(error) } });
    } finally {
      this.#theirs--;
    }
  }

  #tell(message: JsonObject): void {
    if (this.#closedBy === null) this.#send(`${JSON.stringify({ jsonrpc: "2.0", ...message })}\n`);
  }
}

function parsed(line: string): unknown {
  try {
    return JSON.parse(line);
  } catch {
    return undefined;
  }
}

function isId(id: unknown): id is string | number | null {
  return typeof id === "string" || typeof id === "number" || id === null;
}

function errorOf(error: unknown): RpcError {
  const code = readMember(error, "code");
  const message = readMember(error, "message");
  const text = typeof message === "string" && message !== "" ? message : "an error without a message";
  return new RpcError(typeof code === "number" ? code : INTERNAL_ERROR, text, readMember(error, "data"));
}
