/** Opens a session the way we want it: what we offer, in which mode, with which model. */
import { LockyardError } from "../../core/errors.ts";
import { readMember } from "../../core/member.ts";
import type { JsonObject } from "../../core/task.ts";
import { METHOD_NOT_FOUND, RpcError, type RpcPeer } from "./json-rpc.ts";

export interface SessionWishes {
  /** A mode in which it asks before it changes something; as the agent starts when absent. */
  readonly mode: string | undefined;
  readonly model: string | undefined;
  /** How to log in, as the agent calls it, before the session is made. */
  readonly authMethod: string | undefined;
  /** Offers to write files for it. */
  readonly writesThroughUs: boolean;
  readonly mcpServers: readonly JsonObject[];
}

/** The protocol's version that is spoken here. */
const PROTOCOL_VERSION = 1;

/** The id of the session. Throws what the agent answers, or AGENT_FAILED when it speaks another protocol. */
export async function openSession(peer: RpcPeer, wishes: SessionWishes, cwd: string): Promise<string> {
  const hello = await peer.request("initialize", {
    protocolVersion: PROTOCOL_VERSION,
    clientInfo: { name: "lockyard", version: "1" },
    clientCapabilities: { fs: { readTextFile: false, writeTextFile: wishes.writesThroughUs }, terminal: false },
  });
  const version = readMember(hello, "protocolVersion");
  if (version !== PROTOCOL_VERSION) {
    throw new LockyardError(
      "AGENT_FAILED",
      `The agent speaks version ${String(version).slice(0, 40)} of the Agent Client Protocol and version ${PROTOCOL_VERSION} is needed.`,
    );
  }
  if (wishes.authMethod !== undefined) await peer.request("authenticate", { methodId: wishes.authMethod });
  const session = await peer.request("session/new", { cwd, mcpServers: wishes.mcpServers });
  const sessionId = readMember(session, "sessionId");
  if (typeof sessionId !== "string") throw new LockyardError("AGENT_FAILED", "The agent opened no session.");
  if (wishes.model !== undefined) await setModel(peer, { sessionId, model: wishes.model, session });
  if (wishes.mode !== undefined) await setMode(peer, { sessionId, modeId: wishes.mode, session });
  return sessionId;
}

interface Setting {
  readonly sessionId: string;
  readonly session: unknown;
}

/** Fails rather than going on in a mode that was not asked for: it may be one that asks nothing. */
async function setMode(
  peer: RpcPeer,
  { sessionId, modeId, session }: Setting & { readonly modeId: string },
): Promise<void> {
  const modes = readMember(readMember(session, "modes"), "availableModes");
  const known = idsIn(modes, "id");
  if (known.length > 0 && !known.includes(modeId)) throw unknown("mode", modeId, known);
  await peer.request("session/set_mode", { sessionId, modeId });
}

/** By an option of the session, or by the request that came before those; whichever the agent has. */
async function setModel(
  peer: RpcPeer,
  { sessionId, model, session }: Setting & { readonly model: string },
): Promise<void> {
  const options = readMember(session, "configOptions");
  const list: readonly unknown[] = Array.isArray(options) ? options : [];
  const option = list.find((each) => readMember(each, "category") === "model" || readMember(each, "id") === "model");
  const configId = readMember(option, "id");
  const known = idsIn(readMember(readMember(session, "models"), "availableModels"), "modelId");
  if (known.length > 0 && !known.includes(model)) throw unknown("model", model, known);
  try {
    await (typeof configId === "string"
      ? peer.request("session/set_config_option", { sessionId, configId, value: model })
      : peer.request("session/set_model", { sessionId, modelId: model }));
  } catch (error) {
    if (!(error instanceof RpcError) || error.code !== METHOD_NOT_FOUND) throw error;
    throw new LockyardError("AGENT_FAILED", `The agent cannot be told which model to use (${JSON.stringify(model)}).`, {
      hint: "Leave model out and name it in the agent's own configuration or arguments.",
    });
  }
}

function unknown(what: string, given: string, known: readonly string[]): LockyardError {
  return new LockyardError("AGENT_FAILED", `The agent has no ${what} ${JSON.stringify(given)}.`, {
    hint: `It has: ${known.slice(0, 20).join(", ")}.`,
  });
}

function idsIn(list: unknown, key: string): readonly string[] {
  const items: readonly unknown[] = Array.isArray(list) ? list : [];
  return items.map((item) => readMember(item, key)).filter((id): id is string => typeof id === "string");
}
