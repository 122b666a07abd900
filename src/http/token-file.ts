/** The token that opens the gate: in a file that only this user reads, made when it is first needed. */
import { closeSync, constants, fstatSync, mkdirSync, openSync, readSync, writeSync } from "node:fs";
import { dirname } from "node:path";
import { errorCode, LockyardError } from "../edges/basics.ts";
import { newSecret } from "../edges/http.ts";

/** Characters of a token that cannot be guessed. */
const LEAST = 32;
const MOST = 1_024;

/** Reads it, or makes it. Throws INVALID_OPTION for a file that others may read, or that holds no token. */
export function readOrMakeToken(file: string): string {
  mkdirSync(dirname(file), { recursive: true, mode: 0o700 });
  try {
    // A link that somebody laid is not followed; of two who make it at once, one does.
    const handle = openSync(
      file,
      constants.O_WRONLY | constants.O_CREAT | constants.O_EXCL | constants.O_NOFOLLOW,
      0o600,
    );
    try {
      const token = newSecret();
      writeSync(handle, `${token}\n`);
      return token;
    } finally {
      closeSync(handle);
    }
  } catch (error) {
    if (errorCode(error) !== "EEXIST") throw cannot(file, `cannot be made (${errorCode(error) ?? "unknown"})`, error);
  }
  return readToken(file);
}

function readToken(file: string): string {
  const handle = openOwn(file);
  try {
    const { mode, uid, size } = fstatSync(handle);
    const own = process.getuid?.() ?? uid;
    if (uid !== own) throw cannot(file, "belongs to another user");
    if ((mode & 0o077) !== 0) throw cannot(file, "may be read by others", undefined, `chmod 600 ${file}`);
    const buffer = Buffer.alloc(Math.min(size, MOST));
    readSync(handle, buffer, 0, buffer.length, 0);
    const token = buffer.toString("utf8").trim();
    if (token.length >= LEAST && /^[\w.~+/-]+$/.test(token)) return token;
    throw cannot(file, `holds no token of ${LEAST} or more characters`, undefined, `rm ${file}, and a new one is made`);
  } finally {
    closeSync(handle);
  }
}

function openOwn(file: string): number {
  try {
    return openSync(file, constants.O_RDONLY | constants.O_NOFOLLOW);
  } catch (error) {
    throw cannot(file, `cannot be read (${errorCode(error) ?? "unknown"})`, error);
  }
}

function cannot(
  file: string,
  what: string,
  ...[cause, hint]: readonly [cause?: unknown, hint?: string]
): LockyardError {
  return new LockyardError("INVALID_OPTION", `The token file ${file} ${what}.`, { hint: hint ?? `rm ${file}`, cause });
}
