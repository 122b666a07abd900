// An agent that speaks the Agent Client Protocol and does what a script says: SCRIPT is a JSON list of steps, one prompt.
// Each step is one of
//   { say: TEXT }                         a piece of its message
//   { raw: TEXT }                         bytes on stdout, as they are
//   { update: OBJECT }                    a session update
//   { edit: FILE, add: TEXT, ... }        touches `asking`, asks, and when allowed: reads the file, waits for `after`, writes it
//                                         with the text added
//   { call: OBJECT }                      a tool call that asks and does nothing
//   { write: FILE, content: TEXT }        lets the client write a file
//   { waitFor: FILE }, { touch: FILE }    meets others
//   { shell: COMMAND }                    starts a command and does not wait
//   { fail: { code, message, data } }     answers the prompt with an error
//   { stop: REASON, ... }                 answers the prompt
//   { exit: CODE }, { kill: SIGNAL }, { hang: true }
import { spawn } from "node:child_process";
import fs from "node:fs";
import readline from "node:readline";

const steps = JSON.parse(process.env.SCRIPT ?? "[]");
const { HELLO = "{}", SESSION = "{}", IGNORES_CANCEL, LOG } = process.env;
const open = new Map();
let lastId = 0;
let isCancelled = false;

const send = (message) => process.stdout.write(`${JSON.stringify({ jsonrpc: "2.0", ...message })}\n`);
const note = (text) => LOG !== undefined && fs.appendFileSync(LOG, `${text}\n`);
const update = (body) => send({ method: "session/update", params: { sessionId: "s1", update: body } });
const ask = (method, params) =>
  new Promise((resolve) => {
    const id = `a${++lastId}`;
    open.set(id, resolve);
    send({ id, method, params });
  });
const appeared = async (file) => {
  while (!fs.existsSync(file)) await new Promise((resolve) => setTimeout(resolve, 5));
};

const OPTIONS = [
  { optionId: "always", name: "Always", kind: "allow_always" },
  { optionId: "once", name: "Once", kind: "allow_once" },
  { optionId: "no", name: "No", kind: "reject_once" },
];

async function permitted(toolCall, options = OPTIONS) {
  const answer = await ask("session/request_permission", { sessionId: "s1", toolCall, options });
  const { outcome, optionId } = answer.result?.outcome ?? {};
  note(`${toolCall.toolCallId} ${outcome ?? "error"} ${optionId ?? answer.error?.message ?? ""}`.trim());
  return optionId === "once";
}

async function edit({ edit: file, add, asking, after, asks = true, kind = "edit" }, index) {
  const toolCall = {
    toolCallId: `t${index}`,
    kind,
    title: `Edit ${file}`,
    status: "pending",
    locations: [{ path: file }],
  };
  update({ sessionUpdate: "tool_call", ...toolCall });
  if (asking !== undefined) fs.writeFileSync(asking, "");
  if (asks && !(await permitted(toolCall))) return end(toolCall, "failed");
  update({ sessionUpdate: "tool_call_update", toolCallId: toolCall.toolCallId, status: "in_progress" });
  const before = fs.existsSync(file) ? fs.readFileSync(file, "utf8") : "";
  if (after !== undefined) await appeared(after);
  fs.writeFileSync(file, before + add);
  end(toolCall, "completed");
}

function end({ toolCallId }, status) {
  update({ sessionUpdate: "tool_call_update", toolCallId, status });
}

async function step(given, index) {
  if (given.say !== undefined) {
    update({ sessionUpdate: "agent_message_chunk", content: { type: "text", text: given.say } });
  } else if (given.raw !== undefined) process.stdout.write(Buffer.from(given.raw, given.encoding ?? "utf8"));
  else if (given.update !== undefined) update(given.update);
  else if (given.edit !== undefined) await edit(given, index);
  else if (given.call !== undefined) {
    if (await permitted({ toolCallId: `t${index}`, ...given.call }, given.options))
      end({ toolCallId: `t${index}` }, "completed");
  } else if (given.write !== undefined) {
    const { error } = await ask("fs/write_text_file", { sessionId: "s1", path: given.write, content: given.content });
    note(error === undefined ? "written" : `not written: ${error.message}`);
  } else if (given.request !== undefined) {
    const { error } = await ask(given.request, given.params ?? {});
    note(`${given.request} ${error?.code ?? "answered"}`);
  } else if (given.waitFor !== undefined) await appeared(given.waitFor);
  else if (given.touch !== undefined) fs.writeFileSync(given.touch, "");
  else if (given.flood !== undefined) await flood(given.flood);
  else if (given.shell !== undefined)
    spawn("sh", ["-c", given.shell], { stdio: "ignore", detached: given.detached === true });
  else if (given.exit !== undefined) {
    process.stderr.write(given.stderr ?? "");
    process.exit(given.exit);
  } else if (given.kill !== undefined) process.kill(process.pid, given.kill);
  else if (given.hang === true) await new Promise(() => setInterval(() => undefined, 1_000));
}

async function flood(bytes) {
  const piece = Buffer.alloc(1 << 20, "x");
  for (let sent = 0; sent < bytes; sent += piece.length) {
    if (!process.stdout.write(piece)) await new Promise((resolve) => process.stdout.once("drain", resolve));
  }
  process.stdout.write("\n");
}

async function prompt(id, params) {
  note(`prompt ${params.prompt[0].text}`);
  for (const [index, given] of steps.entries()) {
    if (isCancelled && IGNORES_CANCEL === undefined) return send({ id, result: { stopReason: "cancelled" } });
    if (given.fail !== undefined) return send({ id, error: given.fail });
    if (given.stop !== undefined) {
      const { stop, ...rest } = given;
      return send({ id, result: { stopReason: stop, ...rest } });
    }
    await step(given, index);
  }
  send({ id, result: { stopReason: "end_turn" } });
}

function answer({ id, method, params }) {
  note(`${method} ${JSON.stringify(params)}`);
  switch (method) {
    case "initialize":
      return send({ id, result: { protocolVersion: 1, agentCapabilities: {}, ...JSON.parse(HELLO) } });
    case "session/new":
      return send({ id, result: { sessionId: "s1", ...JSON.parse(SESSION) } });
    case "session/prompt":
      return void prompt(id, params);
    case "session/set_mode":
    case "session/set_config_option":
    case "authenticate":
      return send({ id, result: {} });
    default:
      return send({ id, error: { code: -32_601, message: "not here" } });
  }
}

readline.createInterface({ input: process.stdin }).on("line", (line) => {
  const message = JSON.parse(line);
  if (message.method === "session/cancel") {
    note("cancel");
    isCancelled = true;
    if (IGNORES_CANCEL === undefined && steps.some(({ hang }) => hang === true))
      send({ id: promptId, result: { stopReason: "cancelled" } });
  } else if (message.method !== undefined) {
    if (message.method === "session/prompt") promptId = message.id;
    answer(message);
  } else {
    open.get(message.id)?.(message);
    open.delete(message.id);
  }
});
let promptId = null;
