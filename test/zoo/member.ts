/**
 * A process at a shared store, for tests that kill it, put it into another namespace or run it as another user. Arguments:
 * file, script. Told `hold`: runs the script as a command that holds the lock. Told `wait`: runs a function that wants it.
 * Told `cancel`: stops what it runs. Told `look`: tells what the store says, once it has been told to hold or wait.
 */
import { commandAgent, functionAgent, MCPIntegrationLayer, sqliteStore } from "../../src/index.ts";

/** Between being asked and looking: whoever asks again and again must not keep everybody else from working. */
const LOOK_MS = 50;

export type ToMember = "hold" | "wait" | "cancel" | "look";
export interface FromMember {
  readonly type: "ready" | "up" | "granted" | "cancelled" | "result" | "seen";
  readonly count?: number;
  /** Tasks that wait, and whether what is held is quarantined. */
  readonly waiting?: number;
  readonly quarantined?: boolean;
  readonly status?: string;
  readonly code?: string;
  readonly message?: string;
}

const [file = "", script = "true"] = process.argv.slice(2);
const say = (message: FromMember) => process.send?.(message);
const layer = new MCPIntegrationLayer({
  workflowId: `member-${process.pid}`,
  agents: {
    holder: commandAgent({ shell: script, stdin: "none", graceMs: 50 }),
    waiter: functionAgent(() => say({ type: "granted" }) ?? null),
  },
  store: sqliteStore({ file }),
});
const events = layer.events();

async function run(agentId: "holder" | "waiter"): Promise<void> {
  const claims = [{ lock: "machine:contested" }];
  const call = { taskType: "x", description: agentId, taskId: agentId, claims };
  const { status, error } = await (agentId === "holder"
    ? layer.executeTaskCall({ ...call, agentId: "holder" })
    : layer.executeTaskCall({ ...call, agentId: "waiter" }));
  say({ type: "result", status, ...(error === undefined ? {} : { code: error.code, message: error.message }) });
}

async function look(): Promise<void> {
  const { holds, waiting } = await layer.status();
  say({ type: "seen", waiting: waiting.length, quarantined: holds.some(({ quarantined }) => quarantined) });
}

process.on("message", (message: ToMember) => {
  if (message === "hold") void run("holder");
  else if (message === "wait") void run("waiter");
  else if (message === "look") setTimeout(() => void look(), LOOK_MS);
  else void layer.cancelRunningTasks().then((count) => say({ type: "cancelled", count }));
});
say({ type: "ready" });
for await (const event of events) if (event.type === "task-output") say({ type: "up" });
