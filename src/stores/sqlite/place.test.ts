import {
  mkdirSync,
  mkdtempSync,
  readFileSync,
  realpathSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { type FileSystems, mountedType } from "./file-system.ts";
import { preparePlace, sharedFileSystem, storeFile } from "./place.ts";

const NFS = 0x6969;
const EXT4 = 0xef53;
let directory = "";

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), "lockyard-place-"));
});
afterEach(() => rmSync(directory, { recursive: true, force: true }));

/** A machine without a table of mounts. */
const numbered = (typeOf: (path: string) => number): FileSystems => ({ mounts: () => undefined, typeOf });
const local = numbered(() => EXT4);

test("the store lies in the state directory of its user", () => {
  const place = (environment: Record<string, string>) =>
    storeFile({ environment, home: "/home/ada", systems: local }).file;
  expect(place({})).toBe("/home/ada/.local/state/lockyard/store.db");
  expect(place({ XDG_STATE_HOME: "/state" })).toBe("/state/lockyard/store.db");
  expect(place({ XDG_STATE_HOME: "not/absolute" })).toBe("/home/ada/.local/state/lockyard/store.db");
});

test("a home on a network file system moves the store to this machine, and says so in one line", () => {
  const systems = numbered((path) => (path.startsWith("/var/tmp") ? EXT4 : NFS));
  const { file, note } = storeFile({ environment: {}, home: "/home/ada", systems });
  expect(file).toBe(`/var/tmp/lockyard-${process.getuid?.()}/store.db`);
  expect(note).toBe(
    `home is on NFS, where a shared lock table is not safe. Using /var/tmp/lockyard-${process.getuid?.()} on this machine instead. Locks do not reach other machines.`,
  );
});

test("without a safe place there is no store", () => {
  expect(() => storeFile({ environment: {}, home: "/home/ada", systems: numbered(() => NFS) })).toThrow(
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
    const systems = numbered((path) => {
      asked.push(path);
      return type;
    });
    expect(sharedFileSystem(join(directory, "not", "there"), systems)).toBe(name);
  }
  expect(new Set(asked)).toEqual(new Set([directory]));
});

/** As Linux prints them: a number, its parent, device, root, mount point, options, " - ", type, source, options. */
const mounts = (...lines: readonly (readonly [point: string, type: string])[]): string =>
  lines
    .map(([point, type], at) => `${at + 20} 1 0:${at} / ${point} rw,relatime shared:1 - ${type} source rw`)
    .join("\n");

test("the table of mounts says it without asking a server that may be gone", () => {
  const typeOf = (): number => {
    throw new Error("was asked");
  };
  const table: readonly (readonly [type: string, name: string | null])[] = [
    ["nfs4", "NFS"],
    ["9p", "9p"],
    ["virtiofs", "virtiofs"],
    ["fuse.sshfs", "FUSE (sshfs)"],
    ["fuseblk", "FUSE"],
    ["cifs", "CIFS"],
    ["vboxsf", "VirtualBox shared folders"],
    ["ext4", null],
    ["overlay", null],
    ["tmpfs", null],
    ["btrfs", null],
    ["zfs", null],
    ["something-new", null],
  ];
  for (const [type, name] of table) {
    const systems: FileSystems = { mounts: () => mounts(["/", "ext4"], ["/nowhere", type]), typeOf };
    expect(sharedFileSystem("/nowhere/of/mine", systems)).toBe(name);
  }
});

test("of several mounts the nearest above counts, and of several at one point the last", () => {
  const info = mounts(
    ["/", "ext4"],
    ["/home", "nfs4"],
    ["/home/ada", "ext4"],
    ["/a\\040b", "9p"],
    ["/x", "nfs"],
    ["/x", "tmpfs"],
  );
  const types = ["/", "/home", "/home/ad", "/home/ada/x", "/homer", "/a b/c", "/x/y"].map((path) =>
    mountedType(path, info),
  );
  expect(types).toEqual(["ext4", "nfs4", "nfs4", "ext4", "ext4", "9p", "tmpfs"]);
  expect(mountedType("/home", "")).toBeUndefined();
});

test("what is really mounted on this machine is told as the system tells it", () => {
  const info = readFileSync("/proc/self/mountinfo", "utf8");
  expect(mountedType("/proc/self", info)).toBe("proc");
});

test("a link to a share is a share", () => {
  mkdirSync(join(directory, "share"));
  symlinkSync(join(directory, "share"), join(directory, "link"));
  const systems: FileSystems = {
    mounts: () => mounts(["/", "ext4"], [join(realpathSync(directory), "share"), "nfs"]),
    typeOf: () => EXT4,
  };
  expect(sharedFileSystem(join(directory, "link"), systems)).toBe("NFS");
  writeFileSync(join(directory, "share", "store.db"), "");
  symlinkSync(join(directory, "share", "store.db"), join(directory, "store.db"));
  expect(() => preparePlace(join(directory, "store.db"), systems)).toThrow(/would be on NFS/);
});

test("a store is refused on a network file system before anything is made", () => {
  const file = join(directory, "state", "store.db");
  expect(() =>
    preparePlace(
      file,
      numbered(() => NFS),
    ),
  ).toThrow(expect.objectContaining({ code: "STORE_UNAVAILABLE" }));
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
