import fs from "node:fs";
import os from "node:os";
import path from "node:path";
import { Readable } from "node:stream";
import fc from "fast-check";
import { afterAll, expect, test } from "vitest";
import { Capture, drain } from "./output.ts";

const folder = fs.mkdtempSync(path.join(os.tmpdir(), "lockyard-output-"));
afterAll(() => fs.rmSync(folder, { recursive: true }));

/** Text cut at random bytes. */
const chunked = fc.tuple(fc.string({ unit: "binary", maxLength: 200 }), fc.array(fc.nat(40))).map(([text, sizes]) => {
  const bytes = Buffer.from(text.toWellFormed());
  const chunks: Buffer[] = [];
  let at = 0;
  for (const size of sizes) {
    chunks.push(bytes.subarray(at, at + size));
    at = Math.min(bytes.length, at + size);
  }
  return { bytes, chunks: [...chunks, bytes.subarray(at)] };
});

test("what fits is kept whole, however it is cut", async () => {
  await fc.assert(
    fc.asyncProperty(chunked, async ({ bytes, chunks }) => {
      const capture = new Capture({ keepBytes: 2_000 });
      for (const chunk of chunks) await capture.push(chunk);
      expect(capture.text()).toBe(bytes.toString());
      expect(capture).toMatchObject({ totalBytes: bytes.length, omittedBytes: 0 });
    }),
  );
});

test("of what does not fit the first and last part is kept, and no character is broken", async () => {
  await fc.assert(
    fc.asyncProperty(chunked, fc.integer({ min: 8, max: 60 }), async ({ bytes, chunks }, keepBytes) => {
      const capture = new Capture({ keepBytes });
      for (const chunk of chunks) await capture.push(chunk);
      fc.pre(capture.omittedBytes > 0);
      const [head = "", tail = ""] = capture.text().split(/\n… [\d,]+ bytes left out …\n/);
      const whole = bytes.toString();
      expect(whole.startsWith(head)).toBe(true);
      expect(whole.endsWith(tail)).toBe(true);
      expect(Buffer.byteLength(head)).toBeGreaterThan(Math.floor(keepBytes / 2) - 4);
      expect(Buffer.byteLength(head + tail)).toBeLessThanOrEqual(keepBytes);
    }),
  );
});

test("all of it goes to a file, from the first byte, up to the cap", async () => {
  const spillFile = path.join(folder, "a", "one.out");
  const capture = new Capture({ keepBytes: 10, spillFile, spillBytes: 30 });
  for (const text of ["12345", "67890", "abcde", "fghij", "klmno", "pqrst", "uvwxy"])
    await capture.push(Buffer.from(text));
  expect(capture.spilledTo).toBe(spillFile);
  await capture.close();
  expect(fs.readFileSync(spillFile, "utf8")).toBe("1234567890abcdefghijklmnopqrst");
  expect(fs.statSync(spillFile).mode & 0o777).toBe(0o600);
});

test("a file that cannot be written is given up, the output is kept", async () => {
  const taken = path.join(folder, "taken");
  fs.writeFileSync(taken, "mine");
  const capture = new Capture({ keepBytes: 4, spillFile: taken });
  await capture.push(Buffer.from("123456"));
  expect(capture.text()).toBe("12\n… 2 bytes left out …\n56");
  await capture.close();
  expect(fs.readFileSync(taken, "utf8")).toBe("mine");
});

test("the last lines begin at a line", async () => {
  const capture = new Capture();
  await capture.push(Buffer.from("first line\nsecond line\nthird line\n"));
  expect(capture.lastLines(25)).toBe("second line\nthird line\n".slice(-23));
  expect(capture.lastLines(5)).toBe("line\n");
  expect(capture.lastLines(1_000)).toContain("first line");
});

test("a stream that is destroyed ends the draining, and what came before counts", async () => {
  const taken: string[] = [];
  const stream = new Readable({ read() {} });
  const done = drain(stream, (chunk) => {
    taken.push(String(chunk));
    stream.destroy(new Error("reset"));
  });
  stream.push("something");
  await done;
  expect(taken).toEqual(["something"]);
});
