import { expect, test } from "vitest";
import { BOUNDS } from "../../core/bounds.ts";
import { METHOD_NOT_FOUND, RpcError, RpcPeer } from "./json-rpc.ts";

function peer(answer: (method: string) => Promise<Record<string, never>> = () => Promise.resolve({})) {
  const sent: Record<string, unknown>[] = [];
  const malformed: string[] = [];
  const told: string[] = [];
  const made = new RpcPeer((line) => sent.push(JSON.parse(line)), {
    request: answer,
    notification: (method) => told.push(method),
    malformed: (line) => malformed.push(line),
  });
  return { peer: made, sent, malformed, told, take: (message: unknown) => made.take(JSON.stringify(message)) };
}

test("an answer settles its request, in whatever order, and an error rejects it with its code", async () => {
  const { peer: made, take } = peer();
  const first = made.request("one", {});
  const second = made.request("two", {});
  take({ jsonrpc: "2.0", id: 2, error: { code: 429, message: "slow down", data: { a: 1 } } });
  take({ jsonrpc: "2.0", id: 1, result: { x: 1 } });
  expect(await first).toEqual({ x: 1 });
  await expect(second).rejects.toMatchObject({ code: 429, message: "slow down", data: { a: 1 } });
});

test("a request of the other side is answered; what is thrown becomes its error", async () => {
  const { sent, take } = peer((method) =>
    method === "good" ? Promise.resolve({}) : Promise.reject(new RpcError(METHOD_NOT_FOUND, "not offered")),
  );
  take({ id: "a", method: "good" });
  take({ id: null, method: "bad" });
  await expect.poll(() => sent.length).toBe(2);
  expect(sent).toEqual([
    { jsonrpc: "2.0", id: "a", result: {} },
    { jsonrpc: "2.0", id: null, error: { code: METHOD_NOT_FOUND, message: "not offered" } },
  ]);
});

test("what is no message is told and skipped", () => {
  const { peer: made, malformed, told } = peer();
  for (const line of ["hello", "[]", "null", '{"id":7,"result":1}', '{"id":{},"method":"x"}', "{", "", "  "])
    made.take(line);
  expect(malformed).toHaveLength(6);
  made.take('{"method":"note"}');
  expect(told).toEqual(["note"]);
});

test("what is open when the line closes is rejected, and so is what is asked later", async () => {
  const { peer: made, sent } = peer();
  const open = made.request("one", {});
  made.close(new Error("gone"));
  await expect(open).rejects.toThrow("gone");
  await expect(made.request("two", {})).rejects.toThrow("gone");
  made.notify("three", {});
  expect(sent).toHaveLength(1);
});

test("requests beyond the limit are refused while the others stay open", async () => {
  const { sent, take } = peer(() => new Promise(() => undefined));
  for (let id = 0; id <= BOUNDS.acpOpenRequests; id++) take({ id, method: "wait" });
  await expect.poll(() => sent.length).toBe(1);
  expect(sent[0]).toMatchObject({ id: BOUNDS.acpOpenRequests, error: { message: "100 requests are open already" } });
});
