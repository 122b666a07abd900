/**
 * libfaketime, which gives processes another wall clock: from the system, or from Debian's archive into .cache/, without
 * installing anything. Null where neither can be had.
 */
import { execFileSync } from "node:child_process";
import fs from "node:fs";
import path from "node:path";
import { ROOT } from "./places.ts";

const NAME = "libfaketime.so.1";
const CACHE = path.join(ROOT, ".cache", "faketime");

export function faketimeLibrary(): string | null {
  const found = find("/usr/lib") ?? find(CACHE);
  if (found !== null) return found;
  try {
    fs.mkdirSync(CACHE, { recursive: true });
    execFileSync("apt-get", ["download", "libfaketime"], { cwd: CACHE, stdio: "ignore", timeout: 60_000 });
    for (const file of fs.readdirSync(CACHE).filter((name) => name.endsWith(".deb"))) {
      execFileSync("dpkg-deb", ["-x", file, "."], { cwd: CACHE, stdio: "ignore" });
    }
  } catch {
    return null; // No apt, or no network.
  }
  return find(CACHE);
}

function find(folder: string): string | null {
  if (!fs.existsSync(folder)) return null;
  const depth = 3;
  const look = (place: string, left: number): string | null => {
    const direct = path.join(place, "faketime", NAME);
    if (fs.existsSync(direct)) return direct;
    if (left === 0) return null;
    for (const entry of fs.readdirSync(place, { withFileTypes: true })) {
      const below = entry.isDirectory() ? look(path.join(place, entry.name), left - 1) : null;
      if (below !== null) return below;
    }
    return null;
  };
  return look(folder, depth);
}
