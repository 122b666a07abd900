import { expect, test } from "vitest";
import { chooseStore, isOff } from "./store-choice.ts";

const choose = (asked: string | undefined, env: Record<string, string> = {}) =>
  chooseStore(asked, { env, cwd: "/home/ada" });

test("--store wins over LOCKYARD_STORE, which wins over the user's own", () => {
  expect(choose(undefined)).toEqual({ kind: "sqlite", file: undefined });
  expect(choose(undefined, { LOCKYARD_STORE: "/a.db" })).toEqual({ kind: "sqlite", file: "/a.db" });
  expect(choose("b.db", { LOCKYARD_STORE: "/a.db" })).toEqual({ kind: "sqlite", file: "/home/ada/b.db" });
  expect(choose("memory", { LOCKYARD_STORE: "/a.db" })).toEqual({ kind: "memory", because: null });
});

test("LOCKYARD=off shares nothing, whatever else is said", () => {
  expect(choose("/a.db", { LOCKYARD: "off" })).toEqual({ kind: "memory", because: "LOCKYARD=off" });
  expect(["off", "OFF", "0", "false", "", "on", "1"].map((value) => isOff({ LOCKYARD: value }))).toEqual([
    true,
    true,
    true,
    true,
    false,
    false,
    false,
  ]);
});
