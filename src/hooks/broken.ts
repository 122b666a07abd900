/** Lockyard does not work: the host goes on, and its user is told once a session. */
import { closeSync, openSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { errorCode } from "../edges/basics.ts";
import type { HookAnswer, HookCall } from "./hook-call.ts";
import { brokenText } from "./messages.ts";
import { sessionIdOf } from "./sessions.ts";

/** What to do then: `ifBroken` of the configuration. */
export type IfBroken = "run" | "fail";

/** `fail` refuses what would change something; nothing else can be refused. */
export function brokenAnswer(error: unknown, call: HookCall, ifBroken: IfBroken): HookAnswer {
  const isChange = call.event === "before" && ["edit", "write", "shell"].includes(call.tool);
  if (ifBroken === "fail" && isChange) return { type: "refuse", reason: brokenText(error, call, true) };
  return { type: "pass", note: isFirst(sessionIdOf(call)) ? brokenText(error, call, false) : null };
}

/** A file of the system's temporary directory remembers it: the store cannot. In doubt it is said again. */
function isFirst(sessionId: string): boolean {
  const user = process.getuid?.() ?? 0;
  try {
    closeSync(openSync(join(tmpdir(), `lockyard-${user}-${sessionId}.told`), "wx", 0o600));
    return true;
  } catch (error) {
    return errorCode(error) !== "EEXIST";
  }
}
