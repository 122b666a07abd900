/** Where a store may live: a directory of this machine's own, readable by its user alone. */
import {
  accessSync,
  chmodSync,
  closeSync,
  constants,
  existsSync,
  lstatSync,
  mkdirSync,
  openSync,
  statfsSync,
} from "node:fs";
import { homedir } from "node:os";
import { dirname, join, resolve } from "node:path";
import { errorCode, LockyardError } from "../../core/errors.ts";

/**
 * File systems whose locks or shared memory do not hold between everybody who sees the file (statfs(2), linux/magic.h).
 * Docker Desktop's and WSL's shares show as FUSE or 9p.
 */
const SHARED_FILE_SYSTEMS: ReadonlyMap<number, string> = new Map([
  [0x6969, "NFS"],
  [0x01021997, "9p"],
  [0x65735546, "FUSE or virtiofs"],
  [0x517b, "SMB"],
  [0xff534d42, "CIFS"],
  [0xfe534d42, "SMB2"],
  [0x00c36400, "Ceph"],
  [0x5346414f, "AFS"],
  [0x6b414653, "AFS"],
  [0x0bd00bd0, "Lustre"],
  [0x786f4256, "VirtualBox shared folders"],
]);

/** The type number of the file system a directory lies on. */
export type FileSystemType = (directory: string) => number;

const realType: FileSystemType = (directory) => statfsSync(directory).type;

/** Name of the network or virtual file system a directory lies on, or null for one that is safe. */
export function sharedFileSystem(directory: string, typeOf: FileSystemType = realType): string | null {
  // Type numbers are Linux's; elsewhere they mean something else.
  if (process.platform !== "linux") return null;
  let existing = resolve(directory);
  while (!existsSync(existing) && dirname(existing) !== existing) existing = dirname(existing);
  return SHARED_FILE_SYSTEMS.get(typeOf(existing) >>> 0) ?? null;
}

export interface StorePlace {
  readonly file: string;
  /** One line for the user when it is not where one would expect it; null otherwise. */
  readonly note: string | null;
}

export interface StorePlaceOptions {
  readonly environment?: Readonly<Record<string, string | undefined>>;
  readonly home?: string;
  readonly typeOf?: FileSystemType;
}

/**
 * Where the store of this user and machine is: `$XDG_STATE_HOME/lockyard/store.db`, or `~/.local/state/lockyard/store.db`;
 * `/var/tmp/lockyard-UID/store.db` when that lies on a network or virtual file system. Creates nothing.
 * Throws STORE_UNAVAILABLE when there is no safe place.
 */
export function storeFile(options: StorePlaceOptions = {}): StorePlace {
  const { environment = process.env, home = homedir(), typeOf = realType } = options;
  const configured = environment.XDG_STATE_HOME;
  const state = configured?.startsWith("/") ? configured : join(home, ".local", "state");
  const wanted = join(state, "lockyard", "store.db");
  const shared = sharedFileSystem(dirname(wanted), typeOf);
  if (shared === null) return { file: wanted, note: null };
  const file = join("/var/tmp", `lockyard-${process.getuid?.() ?? 0}`, "store.db");
  if (sharedFileSystem(dirname(file), typeOf) !== null) throw onSharedFileSystem(wanted, shared);
  return {
    file,
    note: `Lockyard keeps its store in ${file}, because ${state} is on ${shared}, where locks do not hold.`,
  };
}

function onSharedFileSystem(file: string, name: string): LockyardError {
  return new LockyardError("STORE_UNAVAILABLE", `The store ${file} would be on ${name}, where locks do not hold.`, {
    hint: "Name a file on a disk of this machine, for example LOCKYARD_STORE=/var/tmp/lockyard/store.db.",
  });
}

/**
 * Makes the directory (0700) and an empty file (0600) when they are missing; SQLite gives its -wal and -shm the same mode.
 * Throws STORE_UNAVAILABLE on a network or virtual file system, in a directory somebody else could change, or when it
 * cannot be made; STORE_READ_ONLY when it cannot be written.
 */
export function preparePlace(file: string, typeOf: FileSystemType = realType): void {
  const directory = dirname(file);
  const shared = sharedFileSystem(directory, typeOf);
  if (shared !== null) throw onSharedFileSystem(file, shared);
  try {
    if (mkdirSync(directory, { recursive: true, mode: 0o700 }) !== undefined) chmodSync(directory, 0o700);
    refuseForeignDirectory(directory);
    if (!existsSync(file)) closeSync(openSync(file, "a", 0o600));
    accessSync(file, constants.R_OK | constants.W_OK);
  } catch (error) {
    throw placeError(error, file);
  }
}

/** In /var/tmp anybody may make a directory of our name before us. */
function refuseForeignDirectory(directory: string): void {
  if (!directory.startsWith("/var/tmp/lockyard-")) return;
  const facts = lstatSync(directory);
  const isOurs = facts.isDirectory() && facts.uid === process.getuid?.() && (facts.mode & 0o022) === 0;
  if (isOurs) return;
  throw new LockyardError(
    "STORE_UNAVAILABLE",
    `The directory ${directory} belongs to somebody else or others may write to it.`,
    {
      hint: "Name another store with LOCKYARD_STORE.",
    },
  );
}

function placeError(error: unknown, file: string): unknown {
  switch (errorCode(error)) {
    case "EROFS":
    case "EACCES":
    case "EPERM":
      return new LockyardError("STORE_READ_ONLY", `The store ${file} cannot be written (${errorCode(error)}).`, {
        hint: "Make the file and its directory writable, or name another store with LOCKYARD_STORE.",
        cause: error,
      });
    case "ENOSPC":
    case "EDQUOT":
      return new LockyardError("STORE_FULL", `The store ${file} cannot be made: the disk is full.`, {
        hint: "Free some space, or name another store with LOCKYARD_STORE.",
        cause: error,
      });
    case "ENOENT":
    case "ENOTDIR":
    case "EISDIR":
    case "ELOOP":
    case "EEXIST":
    case "EMFILE":
    case "ENFILE":
      return new LockyardError("STORE_UNAVAILABLE", `The store ${file} cannot be made (${errorCode(error)}).`, {
        hint: "Name another store with LOCKYARD_STORE.",
        cause: error,
      });
    default:
      return error;
  }
}
