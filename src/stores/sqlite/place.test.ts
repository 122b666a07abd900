import { mkdirSync, mkdtempSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { type FileSystemType, preparePlace, sharedFileSystem, storeFile } from "./place.ts";

const NFS = 0x6969;
const EXT4 = 0xef53;
let directory = "";

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), "lockyard-place-"));
});
afterEach(() => rmSync(directory, { recursive: true, force: true }));

const local: FileSystemType = () => EXT4;

test("the store lies in the state directory of its user", () => {
  const place = (environment: Record<string, string>) =>
    storeFile({ environment, home: "/home/ada", typeOf: local }).file;
  expect(place({})).toBe("/home/ada/.local/state/lockyard/store.db");
  expect(place({ XDG_STATE_HOME: "/state" })).toBe("/state/lockyard/store.db");
  expect(place({ XDG_STATE_HOME: "not/absolute" })).toBe("/home/ada/.local/state/lockyard/store.db");
});

test("a home on a network file system moves the store to this machine, and says so in one line", () => {
  const typeOf: FileSystemType = (path) => (path.startsWith("/var/tmp") ? EXT4 : NFS);
  const { file, note } = storeFile({ environment: {}, home: "/home/ada", typeOf });
  expect(file).toBe(`/var/tmp/lockyard-${process.getuid?.()}/store.db`);
  expect(note).toContain("NFS");
  expect(note?.includes("\n")).toBe(false);
});

test("without a safe place there is no store", () => {
  expect(() => storeFile({ environment: {}, home: "/home/ada", typeOf: () => NFS })).toThrow(
    expect.objectContaining({ code: "STORE_UNAVAILABLE", hint: expect.stringContaining("LOCKYARD_STORE") }),
  );
});

test("network and virtual file systems are told from the type of the nearest directory that exists", () => {
  const types: readonly (readonly [number, string | null])[] = [
    [NFS, "NFS"],
    [0x01021997, "9p"],
    [0x65735546, "FUSE or virtiofs"],
    [0xff534d42 | 0, "CIFS"], // as a signed number
    [EXT4, null],
    [0x01021994, null], // tmpfs
  ];
  const asked: string[] = [];
  for (const [type, name] of types) {
    const typeOf: FileSystemType = (path) => {
      asked.push(path);
      return type;
    };
    expect(sharedFileSystem(join(directory, "not", "there"), typeOf)).toBe(name);
  }
  expect(new Set(asked)).toEqual(new Set([directory]));
});

test("a store is refused on a network file system before anything is made", () => {
  const file = join(directory, "state", "store.db");
  expect(() => preparePlace(file, () => NFS)).toThrow(expect.objectContaining({ code: "STORE_UNAVAILABLE" }));
  expect(() => statSync(join(directory, "state"))).toThrow();
});

test("directory and file are made for their user alone, and a directory that was there keeps its mode", () => {
  const file = join(directory, "state", "store.db");
  preparePlace(file, local);
  expect([statSync(join(directory, "state")).mode & 0o777, statSync(file).mode & 0o777]).toEqual([0o700, 0o600]);
  mkdirSync(join(directory, "shared"), { mode: 0o755 });
  preparePlace(join(directory, "shared", "store.db"), local);
  expect(statSync(join(directory, "shared")).mode & 0o777).toBe(0o755);
});

test("a place that cannot be is named with what to do", () => {
  writeFileSync(join(directory, "file"), "");
  expect(() => preparePlace(join(directory, "file", "store.db"), local)).toThrow(
    expect.objectContaining({ code: "STORE_UNAVAILABLE", hint: expect.any(String) }),
  );
});
