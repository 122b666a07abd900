// What two runs of a script at once must not do twice: a lock in .cache/ and a fingerprint of what was done.
// No dependencies; must run on Node 18.
import { createHash } from "node:crypto";
import fs from "node:fs";
import path from "node:path";
import { fileURLToPath } from "node:url";

export const ROOT = path.dirname(path.dirname(fileURLToPath(import.meta.url)));
export const CACHE = path.join(ROOT, ".cache");

/** One fingerprint over files and folders, by content: modification times lie after a checkout or a copy. */
export function fingerprintOf(names) {
  const hash = createHash("sha256");
  const visit = (file) => {
    const stat = fs.statSync(file, { throwIfNoEntry: false });
    if (stat === undefined) return;
    if (stat.isDirectory()) {
      for (const entry of fs.readdirSync(file).sort()) visit(path.join(file, entry));
      return;
    }
    hash.update(path.relative(ROOT, file)).update("\0").update(fs.readFileSync(file)).update("\0");
  };
  for (const name of names) visit(path.join(ROOT, name));
  return hash.digest("hex");
}

export function readIfThere(file) {
  try {
    return fs.readFileSync(file, "utf8");
  } catch {
    return undefined;
  }
}

/** A directory is the lock: `mkdir` is atomic everywhere. The lock of a process that is gone is taken over. */
export async function withLock(name, work, place = CACHE) {
  const folder = path.join(place, `${name}.lock`);
  fs.mkdirSync(place, { recursive: true });
  let told = false;
  while (!tryLock(folder)) {
    if (removeIfAbandoned(folder)) continue;
    if (!told) process.stderr.write(`dev: waiting for another run; if there is none, delete ${folder}\n`);
    told = true;
    await new Promise((resolve) => setTimeout(resolve, 200));
  }
  const release = () => fs.rmSync(folder, { recursive: true, force: true });
  const onSignal = () => {
    release();
    process.exit(130);
  };
  process.once("SIGINT", onSignal).once("SIGTERM", onSignal);
  try {
    return await work();
  } finally {
    release();
    process.removeListener("SIGINT", onSignal).removeListener("SIGTERM", onSignal);
  }
}

function tryLock(folder) {
  try {
    fs.mkdirSync(folder);
  } catch (error) {
    if (error.code === "EEXIST") return false;
    throw error;
  }
  fs.writeFileSync(path.join(folder, "pid"), String(process.pid));
  return true;
}

function removeIfAbandoned(folder) {
  const pid = Number(readIfThere(path.join(folder, "pid")));
  if (pid ? isAlive(pid) : isYoung(folder)) return false;
  // Renamed first: of two processes that saw the same dead owner only one gets it. Should the other have locked anew
  // in between, the pid in what we took is a different one and goes back.
  const taken = `${folder}.${process.pid}`;
  try {
    fs.renameSync(folder, taken);
    if (Number(readIfThere(path.join(taken, "pid"))) !== pid) fs.renameSync(taken, folder);
  } catch {
    return true;
  }
  fs.rmSync(taken, { recursive: true, force: true });
  return true;
}

/** Between `mkdir` and the pid file there is a moment; only an old lock without a pid is abandoned. */
function isYoung(folder) {
  const stat = fs.statSync(folder, { throwIfNoEntry: false });
  return stat === undefined || Date.now() - stat.mtimeMs < 5_000;
}

function isAlive(pid) {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return error.code !== "ESRCH";
  }
}
