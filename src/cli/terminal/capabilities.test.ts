import { expect, test } from "vitest";
import { capabilitiesOf, chooseUi } from "./capabilities.ts";

const TERMINAL = { isTTY: true, columns: 80, rows: 24 };
const PIPE = {};

test("only a terminal that can move its cursor, outside of CI, gets the live view", () => {
  const ui = (stream: object, env: Record<string, string>) => chooseUi({}, capabilitiesOf(stream, env));
  expect(ui(TERMINAL, {})).toBe("live");
  expect(ui(TERMINAL, { CI: "true" })).toBe("stream");
  expect(ui(TERMINAL, { CI: "false" })).toBe("live");
  expect(ui(TERMINAL, { TERM: "dumb" })).toBe("stream");
  expect(ui(PIPE, {})).toBe("stream");
});

test("what is asked for wins, --json before --ui", () => {
  const capabilities = capabilitiesOf(PIPE, {});
  expect(chooseUi({ ui: "live" }, capabilities)).toBe("live");
  expect(chooseUi({ ui: "stream", json: true }, capabilities)).toBe("json");
});

test("FORCE_COLOR wins over NO_COLOR, which wins over the terminal", () => {
  const colour = (stream: object, env: Record<string, string>) => capabilitiesOf(stream, env).hasColour;
  expect(colour(TERMINAL, {})).toBe(true);
  expect(colour(TERMINAL, { NO_COLOR: "1" })).toBe(false);
  expect(colour(TERMINAL, { NO_COLOR: "" })).toBe(true);
  expect(colour(PIPE, {})).toBe(false);
  expect(colour(PIPE, { FORCE_COLOR: "1", NO_COLOR: "1" })).toBe(true);
  expect(colour(TERMINAL, { FORCE_COLOR: "0" })).toBe(false);
  expect(colour(TERMINAL, { TERM: "dumb" })).toBe(false);
});

test("signs beyond ASCII need a locale that has them", () => {
  const unicode = (env: Record<string, string>) => capabilitiesOf(PIPE, env).hasUnicode;
  expect(
    [{}, { LANG: "en_US.UTF-8" }, { LANG: "C" }, { LANG: "C", LC_ALL: "C.UTF-8" }, { TERM: "linux" }].map(unicode),
  ).toEqual([true, true, false, true, false]);
});
