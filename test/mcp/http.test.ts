import { connect } from "node:net";
import { Client, StreamableHTTPClientTransport } from "@modelcontextprotocol/client";
import { describe, expect, test } from "vitest";
import { type Directory, useCommandLine } from "../cli/harness.ts";
import { type Answer, agents, ERAS, gone, lives, script } from "./harness.ts";

const { directory } = useCommandLine();

/** `lockyard mcp --http`, and what a program needs to reach it. */
async function server(here: Directory) {
  const running = here.start(["mcp", "--http", "--port", "0"], { XDG_STATE_HOME: `${here.path}/state` });
  await running.until(/token is in/);
  const [, port = "0", file = ""] = /127\.0\.0\.1:(\d+)\/mcp .*token is in (.*)\)/.exec(running.output.stderr) ?? [];
  const token = here.read(file.slice(here.path.length + 1)).trim();
  return { running, port: Number(port), token, url: `http://127.0.0.1:${port}/mcp` };
}

describe.each(ERAS)("a program of the %s revisions", (era) => {
  test("runs tasks over HTTP with the token, and one that goes away ends its own", async () => {
    const here = directory();
    agents(here, {
      echo: script(here, "echo.cjs", "say(task.description);"),
      slow: script(
        here,
        "slow.cjs",
        'fs.writeFileSync("new", String(process.pid)); fs.renameSync("new", "pid"); await until("never");',
      ),
    });
    const { url, token, running } = await server(here);
    const transport = new StreamableHTTPClientTransport(new URL(url), {
      requestInit: { headers: { authorization: `Bearer ${token}` } },
    });
    const client = new Client(
      { name: "http-host", version: "1" },
      { versionNegotiation: { mode: era === "modern" ? { pin: "2026-07-28" } : "legacy" } },
    );
    await client.connect(transport);
    const result = await client.callTool({ name: "run_task", arguments: { agent: "echo", description: "over HTTP" } });
    expect((result.structuredContent as Answer).tasks).toMatchObject([{ output: "over HTTP" }]); // every tool answers so
    const abort = new AbortController();
    const slow = client.callTool(
      { name: "run_task", arguments: { agent: "slow", description: "w" } },
      { signal: abort.signal },
    );
    slow.catch(() => undefined);
    await here.appeared("pid");
    const pid = Number(here.read("pid"));
    expect(lives(pid)).toBe(true);
    if (era === "modern") abort.abort();
    else running.child.kill("SIGTERM");
    await gone(pid);
    await client.close();
    running.child.kill("SIGTERM");
    expect((await running.finished).code).toBe(0);
  });
});

test("without the token, and for what is too large, too slow or no HTTP, nothing is done", async () => {
  const here = directory();
  const { url, port, token, running } = await server(here);
  const headers = {
    authorization: `Bearer ${token}`,
    "content-type": "application/json",
    accept: "application/json, text/event-stream",
  };
  for (const target of ["/mcp", "/", "/status"])
    for (const method of ["GET", "POST", "DELETE", "OPTIONS"]) {
      const answer = await fetch(new URL(target, url), { method });
      expect(answer.status).toBe(401);
      expect([...answer.headers.keys()].filter((name) => name.startsWith("access-control"))).toEqual([]);
    }
  expect((await fetch(new URL("/no/such", url), { headers })).status).toBe(404);
  const large = await fetch(url, { method: "POST", headers, body: "x".repeat(9 * 1024 * 1024) }).then(
    ({ status }) => status,
    () => 413, // cut off while it was still sent
  );
  expect(large).toBe(413);
  const closed = (text: string) =>
    new Promise<string>((resolve) => {
      let said = "";
      const socket = connect(port, "127.0.0.1", () => socket.write(text));
      socket.setEncoding("utf8").on("data", (piece: string) => {
        said += piece;
      });
      socket.on("error", () => undefined).on("close", () => resolve(said));
    });
  const open = `POST /mcp HTTP/1.1\r\nHost: 127.0.0.1:${port}\r\n`;
  const upgrade = "Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Key: x\r\nSec-WebSocket-Version: 13\r\n";
  const answers = await Promise.all([
    closed("\u0000\u0001 no HTTP\r\n\r\n"),
    closed(`${open}${upgrade}Origin: https://evil.example\r\n\r\n`),
    closed(
      `GET http://127.0.0.1:${port}/mcp HTTP/1.1\r\nHost: 127.0.0.1:${port}\r\nAuthorization: Bearer ${token}\r\n\r\n`,
    ),
    closed(`CONNECT evil.example:443 HTTP/1.1\r\nHost: evil.example:443\r\n\r\n`),
    // Never ends its head: cut off.
    closed(open),
  ]);
  expect(answers.map((text) => /^HTTP\/1\.1 (\d+)/.exec(text)?.[1] ?? "")).toEqual([
    "",
    "403",
    "400",
    "",
    expect.stringMatching(/^(408)?$/),
  ]);
  running.child.kill("SIGINT");
  expect((await running.finished).code).toBe(0);
});
