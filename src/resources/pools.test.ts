import { chmodSync, existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, statSync, writeFileSync } from "node:fs";
import { createServer, type Server } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, test } from "vitest";
import { declareResources, type ResourceDeclaration } from "../core/declared.ts";
import { isListenedOn, poolsOf } from "./pools.ts";

const stateDirectory = mkdtempSync(join(tmpdir(), "lockyard-pools-"));
afterAll(() => rmSync(stateDirectory, { recursive: true, force: true }));

function pool(declaration: ResourceDeclaration, store = "a") {
  const declared = declareResources({ x: declaration }, { by: "test", workspace: "w", cores: 1 });
  const found = poolsOf(declared.values(), { stateDirectory, store }).get("p:x");
  if (found === undefined) throw new Error("no pool");
  return found;
}

function listen(port: number, host?: string): Promise<{ readonly port: number; readonly server: Server }> {
  return new Promise((resolve, reject) => {
    const server = createServer();
    server.once("error", reject);
    server.listen({ port, ...(host === undefined ? {} : { host }) }, () => {
      const address = server.address();
      resolve({ port: typeof address === "object" && address !== null ? address.port : 0, server });
    });
  });
}

function closed(server: Server): Promise<void> {
  return new Promise((resolve) => void server.close(() => resolve()));
}

describe("ports", () => {
  test.each(["127.0.0.1", "0.0.0.0", "::1", "::"])("somebody who listens on %s has the port", async (host) => {
    const { port, server } = await listen(0, host);
    expect(await isListenedOn(port)).toBe(true);
    await closed(server);
    expect(await isListenedOn(port)).toBe(false);
  });

  test("of a pool of ports those that are listened on are taken", async () => {
    const { port, server } = await listen(0);
    const other = await listen(0);
    await closed(other.server);
    const members = [String(port), String(other.port)];
    expect(await pool({ pool: members }).taken(members)).toEqual([String(port)]);
    await closed(server);
  });

  test("members that are no ports are not tried: devices, names", async () => {
    const devices = ["0", "1", "a"];
    expect(await pool({ pool: devices }).taken(devices)).toEqual([]);
  });
});

describe("scratch directories", () => {
  const held =
    (...fences: number[]) =>
    async () =>
      new Set(fences);
  const one = (fence: number) => [{ member: "1", fence, isOwn: true }];

  test("each is made for one grant, for its user alone, and is gone afterwards with all in it", async () => {
    const scratch = pool({ directories: 2 });
    expect(scratch.variable).toBe("X");
    const [place = ""] = await scratch.open(one(7), held(7));
    expect(statSync(place).mode & 0o777).toBe(0o700);
    mkdirSync(join(place, "deep"));
    writeFileSync(join(place, "deep", "file"), "");
    chmodSync(join(place, "deep"), 0o500);
    await scratch.close(one(7));
    expect(existsSync(place)).toBe(false);
  });

  test("what a dead process left is removed by the next who comes, what others hold is not", async () => {
    const scratch = pool({ directories: 3 });
    const [left = ""] = await scratch.open(one(11), held(11));
    const [other = ""] = await scratch.open([{ member: "2", fence: 12, isOwn: true }], held(11, 12));
    const [mine = ""] = await scratch.open(one(13), held(12, 13));
    expect([left, other, mine].map(existsSync)).toEqual([false, true, true]);
    expect(new Set([left, other, mine]).size).toBe(3);
  });

  test("an ancestor's directory is neither made nor removed by those inside it", async () => {
    const scratch = pool({ directories: 1 }, "b");
    const [place = ""] = await scratch.open(one(21), held(21));
    const inherited = [{ member: "1", fence: 21, isOwn: false }];
    expect(await scratch.open(inherited, held(21))).toEqual([place]);
    await scratch.close(inherited);
    expect(existsSync(place)).toBe(true);
  });

  test("two tables of locks never share one", async () => {
    const [a = ""] = await pool({ directories: 1 }, "one").open(one(1), held(1));
    const [b = ""] = await pool({ directories: 1 }, "two").open(one(1), held(1));
    expect(a).not.toBe(b);
    expect(readdirSync(join(stateDirectory, "scratch")).length).toBeGreaterThan(1);
  });
});
