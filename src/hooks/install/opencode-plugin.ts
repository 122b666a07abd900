/** The plugin that opencode loads: it starts our process at each event and hands on what that answers. */
import type { Program, WhenGone } from "./hook-command.ts";

const HEAD = "// Written by `lockyard hooks install opencode`; `lockyard hooks remove opencode` takes it away.";

export function isPlugin(text: string): boolean {
  return text.startsWith(HEAD);
}

/** The Node and the script that a plugin of ours names. */
export function programOfPlugin(text: string): Program | null {
  const [, node, script] = /^const NODE = (".*");\nconst SCRIPT = (".*");$/m.exec(text) ?? [];
  return node === undefined || script === undefined ? null : { node: JSON.parse(node), script: JSON.parse(script) };
}

export function pluginText({
  program,
  ifGone,
}: {
  readonly program: Program;
  readonly ifGone: Exclude<WhenGone, "tell">;
}): string {
  return `${HEAD}
import { spawn } from "node:child_process";
import { existsSync } from "node:fs";

const NODE = ${JSON.stringify(program.node)};
const SCRIPT = ${JSON.stringify(program.script)};
const REFUSES_WHEN_GONE = ${ifGone === "refuse"};
const GONE = "Lockyard is gone from where it was installed. Install it again: lockyard hooks install opencode";
const TOOLS = new Set(["edit", "write", "patch", "apply_patch", "multiedit", "bash", "read"]);

/** Resolves to the answer, or to null when there is none: then everything goes its way. */
function ask(call) {
  return new Promise((resolve) => {
    const child = spawn(NODE, [SCRIPT, "hook", "opencode"], { stdio: ["pipe", "pipe", "ignore"] });
    let answer = "";
    child.on("error", () => resolve(null));
    child.stdin.on("error", () => undefined);
    child.stdout.setEncoding("utf8").on("data", (text) => {
      answer += text;
    });
    child.on("close", () => {
      try {
        resolve(answer.trim() === "" ? null : JSON.parse(answer));
      } catch {
        resolve(null);
      }
    });
    child.stdin.end(JSON.stringify(call));
  });
}

export const Lockyard = async ({ directory, client }) => {
  const isThere = existsSync(NODE) && existsSync(SCRIPT);
  if (process.env.LOCKYARD === "off") return {};
  const show = (message, variant = "warning") =>
    client.tui.showToast({ body: { title: "Lockyard", message, variant } }).catch(() => undefined);
  if (!isThere) {
    await show(GONE);
    if (!REFUSES_WHEN_GONE) return {};
  }
  const parents = new Map();
  const call = async (hook_event_name, session, more = {}) => {
    if (!isThere) return more.tool_name === "read" ? null : { decision: "deny", reason: GONE };
    const parent = parents.get(session);
    const ids = parent === undefined ? { session_id: session } : { session_id: parent, agent_id: session };
    const answer = await ask({ hook_event_name, ...ids, cwd: directory, ...more });
    if (typeof answer?.systemMessage === "string") await show(answer.systemMessage);
    return answer;
  };
  const tool = ({ tool, callID }, args) => ({ tool_name: tool, tool_use_id: callID, tool_input: args });
  return {
    event: async ({ event: { type, properties } }) => {
      if (!isThere) return;
      if (type === "session.created") {
        const { id, parentID } = properties.info;
        if (parentID) parents.set(id, parentID);
        else await call("session.created", id);
      } else if (type === "session.idle") await call("session.idle", properties.sessionID);
      else if (type === "session.deleted") await call("session.deleted", properties.info.id);
    },
    "chat.message": async ({ sessionID }, { parts }) => {
      if (!isThere || parents.has(sessionID)) return;
      const prompt = parts.filter(({ type }) => type === "text").map(({ text }) => text).join("\\n");
      await call("chat.message", sessionID, { prompt });
    },
    "tool.execute.before": async (input, output) => {
      if (!TOOLS.has(input.tool)) return;
      const answer = await call("tool.execute.before", input.sessionID, tool(input, output.args));
      if (answer?.decision === "deny") throw new Error(answer.reason);
      if (answer?.tool_input) Object.assign(output.args, answer.tool_input);
    },
    "tool.execute.after": async (input) => {
      if (!isThere || !TOOLS.has(input.tool) || input.tool === "bash") return;
      await call("tool.execute.after", input.sessionID, tool(input, input.args));
    },
  };
};
`;
}
