import { expect, test } from "vitest";
import { type GateRequest, gateFor } from "./gate.ts";

const TOKEN = "s3cret-of-the-test";
const gate = gateFor({ port: 7340, token: TOKEN });

const good: GateRequest["headers"] = { host: ["127.0.0.1:7340"], authorization: [`Bearer ${TOKEN}`] };
const METHODS = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "PROPFIND"];
const TARGETS = ["/mcp", "/", "/favicon.ico", "/no/such", "/mcp/../mcp", "/mcp?x=1", "//evil.example/mcp"];

const pass: Readonly<Record<string, GateRequest["headers"]>> = {
  "a program": good,
  "a program that calls the machine localhost": { ...good, host: ["localhost:7340"] },
  "a program over IPv6": { ...good, host: ["[::1]:7340"] },
  "a page of our own": { ...good, origin: ["http://127.0.0.1:7340"], "sec-fetch-site": ["same-origin"] },
  "an address that was typed": { ...good, "sec-fetch-site": ["none"] },
};

const fail: Readonly<Record<string, readonly [GateRequest["headers"], number]>> = {
  "no token": [{ host: good.host }, 401],
  "a wrong token": [{ ...good, authorization: ["Bearer wrong"] }, 401],
  "a token that begins right": [{ ...good, authorization: [`Bearer ${TOKEN}x`] }, 401],
  "an empty token": [{ ...good, authorization: ["Bearer "] }, 401],
  "another scheme": [{ ...good, authorization: [`Basic ${TOKEN}`] }, 401],
  "two tokens": [{ ...good, authorization: [`Bearer ${TOKEN}`, `Bearer ${TOKEN}`] }, 401],
  "a cookie instead": [{ host: good.host, cookie: [`token=${TOKEN}`] }, 401],
  "no host": [{ authorization: good.authorization }, 403],
  "two hosts": [{ ...good, host: ["127.0.0.1:7340", "evil.example"] }, 403],
  "a rebound name": [{ ...good, host: ["evil.example:7340"] }, 403],
  "a rebound name that begins right": [{ ...good, host: ["127.0.0.1:7340.evil.example"] }, 403],
  "another port": [{ ...good, host: ["127.0.0.1:80"] }, 403],
  "a name for every address": [{ ...good, host: ["0.0.0.0:7340"] }, 403],
  "a foreign origin": [{ ...good, origin: ["https://evil.example"] }, 403],
  "a null origin": [{ ...good, origin: ["null"] }, 403],
  "an empty origin": [{ ...good, origin: [""] }, 403],
  "an origin that begins right": [{ ...good, origin: ["http://127.0.0.1:7340.evil.example"] }, 403],
  "another port's origin": [{ ...good, origin: ["http://127.0.0.1:8080"] }, 403],
  "our origin over TLS": [{ ...good, origin: ["https://127.0.0.1:7340"] }, 403],
  "two origins": [{ ...good, origin: ["http://127.0.0.1:7340", "https://evil.example"] }, 403],
  "a foreign site": [{ ...good, "sec-fetch-site": ["cross-site"] }, 403],
  "a neighbour site": [{ ...good, "sec-fetch-site": ["same-site"] }, 403],
  "a site nobody knows yet": [{ ...good, "sec-fetch-site": ["trust-me"] }, 403],
};

const everywhere = METHODS.flatMap((method) => TARGETS.map((target) => ({ method, target })));

test.each(Object.entries(pass))("%s passes, whatever it asks for", (_, headers) => {
  for (const each of everywhere) expect(gate({ ...each, headers }), JSON.stringify(each)).toEqual({ passes: true });
});

test.each(Object.entries(fail))("%s never passes, whatever it asks for", (_, [headers, status]) => {
  for (const each of everywhere) expect(gate({ ...each, headers }), JSON.stringify(each)).toMatchObject({ status });
});

test("a request for a proxy never passes", () => {
  for (const target of ["http://127.0.0.1:7340/mcp", "evil.example:443", "*", ""])
    expect(gate({ method: "GET", target, headers: good })).toMatchObject({ passes: false, status: 400 });
});

test("no refusal says what would have passed", () => {
  for (const [headers] of Object.values(fail)) {
    const verdict = gate({ method: "POST", target: "/mcp", headers });
    expect(JSON.stringify(verdict)).not.toContain(TOKEN);
  }
});
