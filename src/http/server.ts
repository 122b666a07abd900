/**
 * An HTTP server for programs of this machine: behind its gate a handler that speaks in web requests. Slow and large
 * requests are cut off, so that nobody who sends a byte a minute keeps anything open.
 */
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { BOUNDS, errorCode, LockyardError } from "../edges/basics.ts";
import type { Gate } from "./gate.ts";

export type Handler = (request: Request) => Promise<Response>;

export interface HttpOptions {
  /** 0 for any free one. */
  readonly port: number;
  /** Made when the port is known. */
  readonly gateFor: (port: number) => Gate;
  /** By path: what is not listed does not exist. */
  readonly routes: Readonly<Record<string, Handler>>;
  /** Told of what is ours to mend. */
  readonly onBug: (error: unknown) => void;
}

export interface HttpServer {
  readonly port: number;
  /** Ends every connection. */
  close(): Promise<void>;
}

/** Loopback: whoever wants to serve others puts a proxy before it, and says so there. */
const ADDRESS = "127.0.0.1";

/** Throws INVALID_OPTION when the port is taken. */
export async function serveHttp({ port, gateFor, routes, onBug }: HttpOptions): Promise<HttpServer> {
  let gate: Gate = () => ({ passes: false, status: 403, reason: "not ready" });
  const server = createServer(
    {
      maxHeaderSize: BOUNDS.httpHeaderBytes,
      headersTimeout: BOUNDS.httpHeadersMs,
      requestTimeout: BOUNDS.httpRequestMs,
      connectionsCheckingInterval: 1_000,
      keepAliveTimeout: 5_000,
      joinDuplicateHeaders: false,
    },
    (request, response) => {
      answer(request, response, { gate, routes }).catch((error) => {
        onBug(error);
        if (response.headersSent) response.destroy();
        else refuse(response, 500, "the server failed");
      });
    },
  );
  server.maxConnections = BOUNDS.httpConnections;
  // What is no HTTP at all gets no second look.
  server.on("clientError", (_, socket) => socket.destroy());
  const bound = await listen(server, port);
  gate = gateFor(bound);
  return {
    port: bound,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

function listen(server: Server, port: number): Promise<number> {
  return new Promise((resolve, reject) => {
    server.once("error", (cause) => {
      const isTaken = errorCode(cause) === "EADDRINUSE";
      const what = isTaken ? "is taken by another program" : `cannot be listened on (${errorCode(cause) ?? "unknown"})`;
      reject(
        new LockyardError("INVALID_OPTION", `Port ${port} ${what}.`, { hint: "Choose another with --port.", cause }),
      );
    });
    server.listen(port, ADDRESS, () => resolve((server.address() as AddressInfo).port)); // it listens on a port
  });
}

interface Serving {
  readonly gate: Gate;
  readonly routes: HttpOptions["routes"];
}

async function answer(request: IncomingMessage, response: ServerResponse, { gate, routes }: Serving): Promise<void> {
  const { method = "GET", url = "", headersDistinct } = request;
  const verdict = gate({ method, target: url, headers: headersDistinct });
  if (!verdict.passes) return refuse(response, verdict.status, verdict.reason);
  const route = routes[url.split("?")[0] ?? ""];
  if (route === undefined) return refuse(response, 404, "there is nothing here");
  const body = await bodyOf(request);
  if (body === null) return refuse(response, 413, `a request may have ${BOUNDS.mcpMessageBytes} bytes`);
  const gone = new AbortController();
  response.once("close", () => gone.abort());
  await send(await route(asWeb(request, body, gone.signal)), response, gone.signal);
}

/** Without a word about itself, and nothing that lets another origin read it (G2). */
function refuse(response: ServerResponse, status: number, reason: string): void {
  response.writeHead(status, {
    "content-type": "text/plain; charset=utf-8",
    "x-content-type-options": "nosniff",
    "cache-control": "no-store",
    connection: "close",
    ...(status === 401 ? { "www-authenticate": 'Bearer realm="lockyard"' } : {}),
  });
  response.end(`${reason}\n`);
}

/** Null when it is too large: then the rest is not read. */
async function bodyOf(request: IncomingMessage): Promise<Uint8Array<ArrayBuffer> | null> {
  if (Number(request.headers["content-length"] ?? 0) > BOUNDS.mcpMessageBytes) return null;
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of request) {
    const piece = chunk as Buffer; // no encoding was set
    bytes += piece.length;
    if (bytes > BOUNDS.mcpMessageBytes) return null;
    chunks.push(piece);
  }
  return new Uint8Array(Buffer.concat(chunks));
}

function asWeb(request: IncomingMessage, body: Uint8Array<ArrayBuffer>, signal: AbortSignal): Request {
  const { method = "GET", url = "/", headersDistinct } = request;
  const headers = new Headers();
  for (const [name, values = []] of Object.entries(headersDistinct))
    for (const value of values) headers.append(name, value);
  const hasBody = method !== "GET" && method !== "HEAD" && body.length > 0;
  return new Request(`http://${request.headers.host ?? ADDRESS}${url}`, {
    method,
    headers,
    signal,
    ...(hasBody ? { body } : {}),
  });
}

async function send(answered: Response, response: ServerResponse, gone: AbortSignal): Promise<void> {
  const headers = Object.fromEntries(answered.headers);
  response.writeHead(answered.status, { "x-content-type-options": "nosniff", "cache-control": "no-store", ...headers });
  // Whoever waits for a stream sees that it began.
  response.flushHeaders();
  if (answered.body === null) return void response.end();
  const reader = answered.body.getReader();
  gone.addEventListener("abort", () => void reader.cancel().catch(() => undefined), { once: true });
  for (;;) {
    const { done, value } = await reader.read();
    if (done || gone.aborted) break;
    if (!response.write(value)) await Promise.race([once(response, "drain"), once(response, "close")]);
  }
  response.end();
}

function once(response: ServerResponse, event: "drain" | "close"): Promise<void> {
  return new Promise((resolve) => {
    response.once(event, () => resolve());
  });
}
