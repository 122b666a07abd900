import fc from "fast-check";
import { expect, test } from "vitest";
import { parseDuration } from "./duration.ts";

const ms = (text: string) => {
  const parsed = parseDuration(text);
  return "ms" in parsed ? parsed.ms : parsed.what;
};

test.each([
  ["500ms", 500],
  ["90s", 90_000],
  ["10m", 600_000],
  ["1h30m", 5_400_000],
  ["2d", 172_800_000],
  ["1.5h", 5_400_000],
  ["1d2h3m4s5ms", 93_784_005],
])("%s is %d ms", (text, expected) => {
  expect(ms(text)).toBe(expected);
});

test.each([
  "",
  "10",
  "m",
  "10 m",
  "5m1h",
  "1h1h",
  "-1s",
  "1e3s",
  "10min",
  "1m30",
  "PT10M",
  "0s",
  "0.1ms",
  "25d",
  "999999999d",
])("%j is refused", (text) => {
  expect(parseDuration(text)).toMatchObject({ what: expect.any(String), hint: expect.any(String) });
});

test("whatever is written, the answer is a time a timer can hold or a fault", () => {
  fc.assert(
    fc.property(fc.oneof(fc.string(), fc.stringMatching(/^(\d{1,12}(\.\d{1,4})?(ms|s|m|h|d)){1,5}$/)), (text) => {
      const parsed = parseDuration(text);
      if ("ms" in parsed) expect(parsed.ms > 0 && parsed.ms < 2 ** 31 && Number.isInteger(parsed.ms)).toBe(true);
      else expect(parsed.what).not.toBe("");
    }),
  );
});
