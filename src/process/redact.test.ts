import fc from "fast-check";
import { expect, test } from "vitest";
import { Redactor, secretsIn } from "./redact.ts";

/** What comes out of a stream that was cut at these places. */
function through(redactor: Redactor, bytes: Buffer, cuts: readonly number[]): string {
  const stream = redactor.stream();
  const places = [...cuts.map((cut) => cut % (bytes.length + 1)).sort((a, b) => a - b), bytes.length];
  const out: Buffer[] = [];
  let from = 0;
  for (const place of places) {
    out.push(stream.push(bytes.subarray(from, place)));
    from = place;
  }
  return Buffer.concat([...out, stream.end()]).toString("latin1");
}

const cuts = fc.array(fc.nat(10_000), { maxLength: 12 });
const value = fc.oneof(
  fc.string({ minLength: 8, maxLength: 40, unit: "grapheme" }).filter((text) => text.trim().length >= 8),
  fc.constantFrom("abcabcab", "aaaaaaaa", 'quote"and\\back\nline', "pässwörter"),
);
const form = fc.constantFrom<(secret: string) => string>(
  (secret) => secret,
  (secret) => Buffer.from(secret).toString("base64"),
  (secret) => Buffer.from(secret).toString("hex"),
  (secret) => encodeURIComponent(secret),
  (secret) => JSON.stringify(secret),
);

test("a value never leaves, in whatever form it is printed and wherever the chunks are cut", () => {
  fc.assert(
    fc.property(value, form, fc.string(), fc.string(), cuts, (secret, print, before, after, places) => {
      const redactor = new Redactor([secret]);
      const text = before + print(secret) + after;
      const out = through(redactor, Buffer.from(text), places);
      const printed = Buffer.from(print(secret).replaceAll(/^"|"$|=+$/g, "")).toString("latin1");
      expect(out).not.toContain(printed);
      expect(Buffer.from(redactor.text(text)).toString("latin1")).not.toContain(printed);
    }),
    { numRuns: 500 },
  );
});

test("what holds no secret passes byte for byte, and cuts change nothing", () => {
  const word = fc.constantFrom(
    "sk-",
    "ghp_",
    "://",
    "abc",
    "-----BEGIN ",
    "PRIVATE KEY-----",
    "eyJ",
    " ",
    "\n",
    "é",
    "user:",
  );
  fc.assert(
    fc.property(fc.array(fc.oneof(word, fc.string()), { maxLength: 30 }), cuts, (words, places) => {
      const bytes = Buffer.from(words.join(""));
      const whole = through(new Redactor(["abcabcabc"]), bytes, []);
      expect(through(new Redactor(["abcabcabc"]), bytes, places)).toBe(whole);
      if (!whole.includes("[redacted]")) expect(whole).toBe(bytes.toString("latin1"));
    }),
    { numRuns: 500 },
  );
});

test.each([
  ["key sk-ant-api03-aaaaaaaaaaaaaaaaaaaa end", "key [redacted] end"],
  ["ghp_0123456789abcdefghijABCDEF", "[redacted]"],
  ["AKIA0123456789ABCDEF,", "[redacted],"],
  ["postgres://ada:s3cretpass@db.local/x", "postgres://ada:[redacted]@db.local/x"],
  ["https://registry.local:8443/a@1.0.0", "https://registry.local:8443/a@1.0.0"],
  ["a\n-----BEGIN RSA PRIVATE KEY-----\nMII\n-----END RSA PRIVATE KEY-----\nb", "a\n[redacted]\nb"],
  ["-----BEGIN PRIVATE KEY-----\nnever ended", "[redacted]"],
  ["ask-me-anything-about-this-task", "ask-me-anything-about-this-task"],
  [
    "-----BEGIN CERTIFICATE-----\nMII\n-----END CERTIFICATE-----",
    "-----BEGIN CERTIFICATE-----\nMII\n-----END CERTIFICATE-----",
  ],
])("well-known keys are told by their shape: %j", (text, expected) => {
  expect(new Redactor().text(text)).toBe(expected);
  for (let cut = 0; cut <= text.length; cut++) {
    expect(through(new Redactor(), Buffer.from(text), [cut])).toBe(expected);
  }
});

test("an end that may become a key is held back no longer than it may, and no more than its bound", () => {
  const stream = new Redactor().stream();
  expect(stream.push(Buffer.from("ready sk-abc")).toString()).toBe("ready ");
  expect(stream.push(Buffer.from(" go")).toString()).toBe("sk-abc go");
  const long = Buffer.from(`eyJ${"!".repeat(20_000)}`);
  expect(stream.push(long).length).toBe(long.length);
});

test("variables count as secrets by their name, and only when they are long enough", () => {
  const env = {
    API_KEY: "0123456789",
    NPM_TOKEN: "abcdefgh",
    TOKEN: "short",
    KEYBOARD: "us-intl-x",
    MONKEY: "12345678",
  };
  expect(secretsIn(env)).toEqual(["0123456789", "abcdefgh"]);
});
