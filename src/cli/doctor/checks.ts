/** What `doctor` looks at. Each check answers with a line; none of them changes anything but freeing what the dead held. */
import { existsSync, readFileSync } from "node:fs";
import { isOff } from "../../config/store-choice.ts";
import { containment } from "../../edges/store.ts";
import { configFor, PlanFault } from "../config-for.ts";
import type { Surroundings } from "../surroundings.ts";

export interface Check {
  readonly name: string;
  readonly status: "ok" | "warning" | "fault";
  readonly what: string;
  readonly fix?: string;
}

const FIRST_SAFE = [3, 51, 3] as const;

export function checkNode(): Check {
  const { node, sqlite } = process.versions;
  const name = "Node";
  if (sqlite === undefined) {
    const what = `v${node} has no built-in SQLite: locks reach one process only, and only \`run\` and the library work`;
    return { name, status: "fault", what, fix: "nvm install 24 (22.23, 24.15, 26 and later do)" };
  }
  const parts = sqlite.split(".").map(Number);
  const differing = FIRST_SAFE.findIndex((least, at) => (parts[at] ?? 0) !== least);
  const isSafe = differing === -1 || (parts[differing] ?? 0) > (FIRST_SAFE[differing] ?? 0);
  if (isSafe) return { name, status: "ok", what: `v${node}, SQLite ${sqlite}` };
  const what = `v${node} has SQLite ${sqlite}, which several processes can damage; it needs ${FIRST_SAFE.join(".")}`;
  return { name, status: "fault", what, fix: "nvm install 24 (22.23, 24.15, 26 and later do)" };
}

export function checkSwitch({ env }: Surroundings): readonly Check[] {
  return isOff(env)
    ? [
        {
          name: "switch",
          status: "warning",
          what: "LOCKYARD=off: Lockyard is turned off in this shell",
          fix: "unset LOCKYARD",
        },
      ]
    : [];
}

export function checkPlatform(): readonly Check[] {
  const name = "platform";
  const checks: Check[] = [];
  if (process.platform === "win32") {
    checks.push({
      name,
      status: "fault",
      what: "native Windows: only the library works, and its locks reach one process",
      fix: "use WSL2",
    });
  } else if (process.platform === "darwin") {
    checks.push({
      name,
      status: "warning",
      what: "macOS: locks, leases and group kill are built for it and not tested by us yet",
    });
  } else if (process.platform !== "linux") {
    checks.push({ name, status: "warning", what: `${process.platform} was never tried` });
  } else {
    checks.push({ name, status: "ok", what: `${process.platform} ${process.arch}` });
  }
  if (/microsoft/i.test(readIfThere("/proc/version")) && process.cwd().startsWith("/mnt/")) {
    checks.push({
      name,
      status: "warning",
      what: "this directory belongs to Windows: programs there have a store of their own, and the two share no lock",
      fix: "keep the repository inside WSL",
    });
  }
  if (existsSync("/.dockerenv") || existsSync("/run/.containerenv")) {
    checks.push({
      name,
      status: "warning",
      what: "this is a container: it shares no lock with the machine or with other containers",
      fix: "put LOCKYARD_STORE on a native volume that all of them mount",
    });
  }
  return checks;
}

export function checkContainment(): Check {
  const { level, findsBy, misses, why } = containment();
  const found =
    findsBy.length === 0 ? "nothing of what a task started" : `what a task started by ${findsBy.join(", ")}`;
  return {
    name: "processes",
    status: level === "cgroup" || level === "sweep" ? "ok" : "warning",
    what: `level ${level}: finds ${found}; misses ${misses.join("; ")}${why === null ? "" : `\nno higher level: ${why}`}`,
  };
}

export async function checkConfig({ cwd, env }: Surroundings): Promise<Check> {
  const name = "config";
  try {
    const { files } = await configFor({ cwd, env });
    return {
      name,
      status: "ok",
      what: files.length === 0 ? "none; defaults hold" : files.map(({ path }) => path).join(", "),
    };
  } catch (error) {
    const what = error instanceof PlanFault ? error.details : error instanceof Error ? error.message : String(error);
    return { name, status: "fault", what, fix: "correct the file" };
  }
}

function readIfThere(path: string): string {
  try {
    return readFileSync(path, "utf8");
  } catch {
    return "";
  }
}
