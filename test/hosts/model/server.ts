/**
 * A scripted model on loopback: it answers turn by turn, keeps what it was asked, and gives a turn only when the test
 * releases it, so that two sessions can be ordered without a clock.
 */
import http from "node:http";
import type { AddressInfo } from "node:net";
import { gunzipSync, zstdDecompressSync } from "node:zlib";
import { anthropic } from "./anthropic.ts";
import { gemini } from "./gemini.ts";
import { chat, responses } from "./openai.ts";
import type { Asked, Dialect, Reply, ToolResult, Turn } from "./script.ts";

/** Turns by a part of what was said: conversations of subagents have scripts of their own. The first that fits. */
export type Script = readonly Turn[] | readonly { readonly when: string; readonly turns: readonly Turn[] }[];

export interface Model {
  readonly url: string;
  /** Every request for an answer so far, in the order of arrival. */
  readonly asked: readonly Asked[];
  /** Every tool result so far. */
  results(): readonly ToolResult[];
  /** Resolves when the turn with this number (of the main script) was asked for: the one before it is done. */
  reached(turn: number): Promise<Asked>;
  close(): Promise<void>;
}

const DIALECTS: readonly Dialect[] = [anthropic, responses, chat, gemini];

const MOST_REQUESTS = 100;

/** What a request without tools gets: hosts ask for titles and summaries beside the conversation. */
const ASIDE: Turn = { text: "lab" };
/** What is said when the script is over. */
const OVER: Turn = { text: "All done." };

export async function startModel(script: Script): Promise<Model> {
  const log: Asked[] = [];
  const waiting: { readonly turn: number; readonly resolve: (asked: Asked) => void }[] = [];
  const reachedTurns = new Map<number, Asked>();
  const pick = scriptReader(script, (turn, asked) => {
    reachedTurns.set(turn, asked);
    for (const waiter of waiting) if (waiter.turn <= turn) waiter.resolve(asked);
  });
  let calls = 0;
  const answer = async (request: http.IncomingMessage, response: http.ServerResponse) => {
    const path = (request.url ?? "").split("?")[0] ?? "";
    const body = await bodyOf(request);
    const match = DIALECTS.map((dialect) => ({ dialect, parsed: dialect.parse(path, body) })).find(
      ({ parsed }) => parsed,
    );
    if (match?.parsed === undefined) {
      const other = DIALECTS.map((dialect) => dialect.other(request.method ?? "", path)).find((value) => value);
      return sendJson(response, other === undefined ? 404 : 200, other ?? { error: { message: "not scripted" } });
    }
    const { dialect } = match;
    const asked: Asked = { ...match.parsed, body };
    log.push(asked);
    // A host that never comes to the end of the script: said at once instead of at the limit of the test.
    if (log.length > MOST_REQUESTS) return sendJson(response, 400, dialect.failure(400));
    const turn = asked.tools.length === 0 ? ASIDE : pick(asked);
    await turn.after;
    if (turn.hang === "before") return;
    if (turn.fail !== undefined) {
      const { status, retryAfterS } = turn.fail;
      if (retryAfterS !== undefined) response.setHeader("retry-after", String(retryAfterS));
      return sendJson(response, status, dialect.failure(status));
    }
    const reply: Reply = {
      id: `msg_lab_${log.length}`,
      text: turn.text ?? "",
      calls: (turn.calls ?? []).map((call) => ({ ...call, id: `toolu_lab_${++calls}` })),
    };
    if (!asked.streams) return sendJson(response, 200, dialect.whole(reply, asked));
    await sendStream(response, dialect.stream(reply, asked), turn);
  };
  const server = http.createServer((request, response) => {
    answer(request, response).catch((error: unknown) => response.destroy(error as Error));
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    asked: log,
    results: () => log.flatMap(({ results }) => results),
    reached: (turn) => {
      const already = [...reachedTurns].find(([number]) => number >= turn)?.[1];
      if (already !== undefined) return Promise.resolve(already);
      return new Promise((resolve) => waiting.push({ turn, resolve }));
    },
    close: () => {
      server.closeAllConnections();
      return new Promise((resolve) => server.close(() => resolve()));
    },
  };
}

/** Which turn a request gets: as many as rounds lie behind it, and one further for each failure served. */
function scriptReader(script: Script, onTurn: (turn: number, asked: Asked) => void): (asked: Asked) => Turn {
  const conversations = script.flatMap((entry) => ("when" in entry ? [entry] : []));
  const main = script.flatMap((entry) => ("when" in entry ? [] : [entry]));
  const failures = new Map<readonly Turn[], number>();
  return (asked) => {
    const other = conversations.find(({ when }) => asked.said.includes(when));
    const turns = other?.turns ?? main;
    const served = failures.get(turns) ?? 0;
    const number = asked.round + served;
    const turn = turns[number] ?? OVER;
    if (turn.fail !== undefined) failures.set(turns, served + 1);
    onTurn(number, asked);
    return turn;
  };
}

async function bodyOf(request: http.IncomingMessage): Promise<unknown> {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk as Buffer);
  const packed = Buffer.concat(chunks);
  const encoding = request.headers["content-encoding"];
  const plain = encoding === "zstd" ? zstdDecompressSync(packed) : encoding === "gzip" ? gunzipSync(packed) : packed;
  if (plain.length === 0) return undefined;
  try {
    return JSON.parse(plain.toString("utf8"));
  } catch {
    // Telemetry and the like: not for the script.
    return undefined;
  }
}

function sendJson(response: http.ServerResponse, status: number, value: unknown): void {
  response.writeHead(status, { "content-type": "application/json" }).end(JSON.stringify(value));
}

async function sendStream(response: http.ServerResponse, pieces: readonly string[], turn: Turn): Promise<void> {
  response.writeHead(200, { "content-type": "text/event-stream" });
  for (const piece of turn.hang === "within" ? pieces.slice(0, Math.ceil(pieces.length / 2)) : pieces) {
    response.write(piece);
    if (turn.pieceMs !== undefined) await new Promise((resolve) => setTimeout(resolve, turn.pieceMs));
  }
  if (turn.hang !== "within") response.end();
}
