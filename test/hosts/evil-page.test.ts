// A page of another site, open in a real browser beside `lockyard mcp --http`, tries what such pages can. Behind the gate it
// reaches nothing; without the gate (the control) the same page reaches what it should not, so the attack is a real one.
import { execFile } from "node:child_process";
import { existsSync, mkdtempSync, rmSync } from "node:fs";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import path from "node:path";
import { expect, test } from "vitest";
import { type Gate, gateFor } from "../../src/http/gate.ts";
import { serveHttp } from "../../src/http/server.ts";

const BROWSERS = ["/usr/bin/chromium", "/usr/bin/chromium-browser", "/usr/bin/google-chrome"];

/** What a page does to a server at this port; each attempt is told apart by its query. */
const attack = (port: number) => `<!doctype html><title>evil</title><body><script>
const at = ["http://127.0.0.1:${port}", "http://localhost:${port}", "http://rebound.test:${port}"];
const body = JSON.stringify({ jsonrpc: "2.0", id: 1, method: "tools/call", params: { name: "run_task", arguments: {} } });
const tries = [];
const attempt = (name, run) => tries.push(Promise.resolve().then(run).then(() => name, (error) => name + " " + error));
for (const [index, base] of at.entries()) {
  const url = (what) => base + "/mcp?" + what + index;
  attempt("simple", () => fetch(url("simple"), { method: "POST", mode: "no-cors", body, headers: { "content-type": "text/plain" } }));
  attempt("get", () => fetch(url("get"), { mode: "no-cors", credentials: "include" }));
  attempt("cors", () => fetch(url("cors"), { method: "POST", body, headers: { "content-type": "application/json", authorization: "Bearer guess" } }));
  attempt("beacon", () => navigator.sendBeacon(url("beacon"), body));
  attempt("image", () => new Promise((done) => { const image = new Image(); image.onload = image.onerror = done; image.src = url("image"); }));
  attempt("script", () => new Promise((done) => { const script = document.createElement("script"); script.onload = script.onerror = done; script.src = url("script"); document.body.append(script); }));
  attempt("socket", () => new Promise((done) => { const socket = new WebSocket(url("socket").replace("http", "ws")); socket.onopen = socket.onerror = done; }));
  attempt("events", () => new Promise((done) => { const source = new EventSource(url("events")); source.onopen = source.onerror = () => { source.close(); done(); }; }));
  attempt("form", () => new Promise((done) => {
    const frame = document.createElement("iframe"); frame.name = "form" + index; frame.onload = done;
    document.body.append(frame);
    const form = document.createElement("form"); form.method = "post"; form.enctype = "text/plain"; form.action = url("form"); form.target = frame.name;
    form.innerHTML = "<input name='x' value='y'>"; document.body.append(form); form.submit(); setTimeout(done, 2000);
  }));
  // A sandboxed frame has the origin null.
  attempt("null", () => new Promise((done) => {
    const frame = document.createElement("iframe"); frame.sandbox = "allow-scripts"; frame.onload = () => setTimeout(done, 1500);
    frame.srcdoc = "<script>fetch('" + url("null") + "', { method: 'POST', mode: 'no-cors', body: '{}' })</scr" + "ipt>";
    document.body.append(frame);
  }));
}
Promise.all(tries).then((told) => { document.title = "over"; document.body.textContent = "over " + told.length; });
</script>`;

/** What reached the handler behind the gate while a browser had the page open. */
async function reachedWith(gate: (port: number) => Gate): Promise<readonly string[]> {
  const reached: string[] = [];
  const server = await serveHttp({
    port: 0,
    gateFor: gate,
    routes: {
      "/mcp": async (request) => {
        reached.push(new URL(request.url).search.slice(1));
        return new Response("{}", { headers: { "content-type": "application/json" } });
      },
    },
    onBug: (error) => {
      throw error;
    },
  });
  const evil = createServer((_, response) => {
    response.writeHead(200, { "content-type": "text/html" });
    response.end(attack(server.port));
  });
  await new Promise<void>((resolve) => evil.listen(0, "127.0.0.1", () => resolve()));
  const { port } = evil.address() as AddressInfo; // it listens on a port
  try {
    const page = await visit(`http://rebound.test:${port}/`);
    expect(page).toContain("over 30");
  } finally {
    evil.closeAllConnections();
    evil.close();
    await server.close();
  }
  return reached.toSorted();
}

/** The page as it stands after its scripts ran. */
function visit(url: string): Promise<string> {
  const browser = BROWSERS.find((file) => existsSync(file));
  if (browser === undefined) throw new Error("This test needs a browser: apt-get install chromium");
  const profile = mkdtempSync(path.join(tmpdir(), "lockyard-browser-"));
  const args = [
    "--headless=new",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--disable-dev-shm-usage",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
    "--host-resolver-rules=MAP rebound.test 127.0.0.1",
    `--user-data-dir=${profile}`,
    "--virtual-time-budget=10000",
    "--dump-dom",
    url,
  ];
  return new Promise((resolve, reject) => {
    execFile(browser, args, { timeout: 90_000, maxBuffer: 8 * 1024 * 1024 }, (error, stdout) => {
      rmSync(profile, { recursive: true, force: true });
      if (error === null) resolve(stdout);
      else reject(error);
    });
  });
}

test("a hostile page reaches nothing behind the gate, and a lot where there is none", async () => {
  const open = await reachedWith(() => () => ({ passes: true }));
  // The control: by every address, simple requests, forms, frames without an origin, images.
  expect(open).toEqual(
    expect.arrayContaining(["simple0", "simple1", "simple2", "get0", "form0", "form2", "null0", "image0", "script1"]),
  );
  const guarded = await reachedWith((port) => gateFor({ port, token: "a-token-that-the-page-does-not-know" }));
  expect(guarded).toEqual([]);
});
