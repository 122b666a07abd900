import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { toJson } from "./json.ts";

const faultOf = (value: unknown, limits = {}) => toJson(value, limits).fault;

test("JSON passes unchanged, as a copy", () => {
  fc.assert(
    fc.property(fc.jsonValue({ maxDepth: 20 }), (value) => {
      fc.pre(!JSON.stringify(value).includes("__proto__"));
      const { ok } = toJson(value, { repairStrings: true });
      // JSON knows no negative zero.
      expect(JSON.stringify(ok)).toBe(JSON.stringify(value).toWellFormed());
      if (typeof value === "object" && value !== null) expect(ok).not.toBe(value);
    }),
  );
});

test("whatever is given, it answers, and what passes survives a round trip", () => {
  const anything = fc.anything({
    withBigInt: true,
    withDate: true,
    withMap: true,
    withNullPrototype: true,
    withObjectString: true,
    withSet: true,
    withSparseArray: true,
    withTypedArray: true,
    withUnicodeString: true,
  });
  fc.assert(
    fc.property(anything, (value) => {
      const checked = toJson(value);
      if (checked.fault === undefined)
        expect(JSON.parse(JSON.stringify(checked.ok))).toEqual(JSON.parse(JSON.stringify(checked.ok)));
      else expect(checked.fault.what).toBeTypeOf("string");
    }),
  );
});

test("dates and other objects speak for themselves, undefined members vanish", () => {
  const day = new Date(0);
  expect(toJson({ day, gone: undefined, list: [undefined, 1], inner: { toJSON: () => ({ a: 1 }) } })).toEqual({
    ok: { day: "1970-01-01T00:00:00.000Z", list: [null, 1], inner: { a: 1 } },
  });
  expect(toJson(undefined)).toEqual({ ok: null });
});

describe("what JSON cannot hold is refused with its place", () => {
  const cycle: Record<string, unknown> = { name: "a" };
  cycle.self = { cycle };
  test.for([
    [{ list: [1, 2n] }, "value.list[1]", "BigInt"],
    [{ a: { b: Number.NaN } }, "value.a.b", "NaN"],
    [[Number.POSITIVE_INFINITY], "value[0]", "Infinity"],
    [{ call: () => 1 }, "value.call", "function"],
    [{ mark: Symbol("x") }, "value.mark", "symbol"],
    [{ text: "half \ud800" }, "value.text", "surrogate"],
    [{ map: new Map() }, "value.map", "Map"],
    [{ bytes: new Uint8Array(3) }, "value.bytes", "binary"],
    [{ later: Promise.resolve() }, "value.later", "promise"],
    [JSON.parse('{"__proto__": {"polluted": true}}'), "value.__proto__", "prototype"],
    [cycle, "value.self.cycle", "contains itself"],
  ] as const)("%#", ([value, where, what]) => {
    const fault = faultOf(value);
    expect(fault?.where.startsWith(where)).toBe(true);
    expect(fault?.what).toContain(what);
    expect(({} as Record<string, unknown>).polluted).toBeUndefined();
  });
});

test("depth 64 passes, 65 and 100,000 do not, and the stack holds", () => {
  const nested = (levels: number) => {
    let value: unknown = 1;
    for (let level = 0; level < levels; level++) value = [value];
    return value;
  };
  expect(faultOf(nested(64))).toBeUndefined();
  expect(faultOf(nested(65))?.what).toBe("lies deeper than 64 levels");
  expect(faultOf(nested(100_000))?.what).toBe("lies deeper than 64 levels");
  const endless = { toJSON: () => ({ toJSON: endless.toJSON }) };
  expect(faultOf(endless)?.what).toBe("lies deeper than 64 levels");
});

test("bytes are bounded, also of a small graph that unfolds without end", () => {
  expect(faultOf("x".repeat(1024 * 1024))?.what).toContain("1,048,576 bytes");
  expect(faultOf("ü".repeat(600_000))?.what).toContain("bytes");
  expect(faultOf("x".repeat(100), { maxBytes: 50 })?.what).toContain("50 bytes");
  let bomb: unknown = "boom";
  for (let level = 0; level < 60; level++) bomb = [bomb, bomb];
  expect(faultOf(bomb)?.what).toContain("bytes");
});

test("getters, proxies and toJSON that throw are contained, and a getter is read once", () => {
  const thrower = {
    get bad() {
      throw new Error("no");
    },
  };
  expect(faultOf({ thrower })).toMatchObject({ where: "value.thrower.bad", what: "threw while it was read" });
  expect(
    faultOf({
      toJSON() {
        throw null;
      },
    })?.what,
  ).toBe("threw while it was read");
  const revoked = Proxy.revocable({}, {});
  revoked.revoke();
  expect(faultOf({ revoked: revoked.proxy })?.what).toBe("threw while it was read");
  let reads = 0;
  toJson({
    get once() {
      return ++reads;
    },
  });
  expect(reads).toBe(1);
});

test("halves of characters can be repaired instead", () => {
  expect(toJson({ text: "cut \ud83d" }, { repairStrings: true })).toEqual({ ok: { text: "cut \ufffd" } });
});
