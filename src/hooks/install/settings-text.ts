/** The text of a host's settings, with our hooks in it or without them. */
import { getNodeValue, type Node } from "jsonc-parser";
import { LockyardError } from "../../edges/basics.ts";
import type { HostName } from "../hook-call.ts";
import { hookCommand, isHookCommand, type Program, type WhenGone } from "./hook-command.ts";
import { HOSTS, type HookEntry } from "./host-settings.ts";
import { addTo, childOf, readJson, removeFrom } from "./json-edit.ts";

export interface HookWish {
  readonly host: HostName;
  readonly program: Program;
  /** What becomes of an edit when Lockyard is gone. */
  readonly ifGone: "pass" | "refuse";
  /** Calls around tools go to the session's own `lockyard mcp --hooks`; Claude Code alone can do that. */
  readonly isThroughServer?: boolean;
}

/** Where a text is from, for what is said about it. */
export interface SettingsText {
  readonly host: HostName;
  readonly file: string;
}

const BOM = "\uFEFF";

/** Throws INVALID_CONFIG with the place in `file` when the text is not what the host could read either. */
export function withHooks(text: string, { wish, file }: { readonly wish: HookWish; readonly file: string }): string {
  const { host } = wish;
  if (hasHooks(text, { wish, file })) return text;
  const base = text.trim() === "" ? `${text.startsWith(BOM) ? BOM : ""}{}\n` : withoutHooks(text, { host, file });
  return entriesFor(wish).reduce((body, entry) => withEntry(body, { entry, wish, file }), base);
}

interface Adding {
  readonly entry: HookEntry;
  readonly wish: HookWish;
  readonly file: string;
}

function withEntry(text: string, { entry, wish, file }: Adding): string {
  const group = groupFor(entry, wish);
  return inBody(text, (body) => {
    const root = rootOf(body, file);
    const hooks = childOf(root, "hooks");
    if (hooks === undefined) return addTo(body, root, { name: "hooks", value: { [entry.event]: [group] } });
    const list = childOf(hooks, entry.event);
    if (list === undefined) return addTo(body, hooks, { name: entry.event, value: [group] });
    return addTo(body, list, { name: null, value: group });
  });
}

/** The server is told the name of the tool by whoever calls it, so there is a hook for each. */
function entriesFor({ host, isThroughServer }: HookWish): readonly HookEntry[] {
  const entries = HOSTS[host].entries ?? [];
  if (isThroughServer !== true) return entries;
  return entries.flatMap((entry) =>
    entry.matcher === null ? [entry] : entry.matcher.split("|").map((matcher) => ({ ...entry, matcher })),
  );
}

/** What the host puts into the texts of a call. */
const PLACEHOLDERS = ["session_id", "agent_id", "tool_use_id", "tool_input"] as const;

function serverHook(event: string, matcher: string): object {
  const filled = Object.fromEntries(PLACEHOLDERS.map((name) => [name, `\${${name}}`]));
  return { type: "mcp_tool", ...OUR_TOOL, input: { hook_event_name: event, tool_name: matcher, ...filled } };
}

/** As `claude mcp add lockyard` names the server. */
const OUR_TOOL = { server: "lockyard", tool: "hook" } as const;

function groupFor(
  { event, matcher, timeout, isFirst }: HookEntry,
  { host, program, ifGone, isThroughServer }: HookWish,
): object {
  const isJudging = (event === "PreToolUse" || event === "BeforeTool") && !/^read/i.test(matcher ?? "");
  const whenGone: WhenGone = isFirst === true ? "tell" : isJudging ? ifGone : "pass";
  const call =
    isThroughServer === true && matcher !== null
      ? serverHook(event, matcher)
      : { type: "command", command: hookCommand(host, { program, whenGone }) };
  const hook = {
    ...call,
    timeout: HOSTS[host].isInMs ? timeout * 1_000 : timeout,
    // When it takes too long, or cannot be started.
    ...(host === "claude" && whenGone === "refuse" ? { onFailure: "block" } : {}),
  };
  return { ...(matcher === null ? {} : { matcher }), hooks: [hook] };
}

/** Throws INVALID_CONFIG, as `withHooks`. */
export function withoutHooks(text: string, from: SettingsText): string {
  let result = text;
  // One at a time: each moves what stands behind it.
  for (;;) {
    const next = text.trim() === "" ? result : inBody(result, (body) => withoutOne(body, from));
    if (next === result) return result;
    result = next;
  }
}

function withoutOne(body: string, from: SettingsText): string {
  const root = rootOf(body, from.file);
  const [place] = placesIn(root, from.host);
  if (place === undefined) return body;
  const { hooks, event, list, group, handlers, handler } = place;
  // What would be left empty goes as a whole.
  if (sizeOf(handlers) > 1) return removeFrom(body, handlers, handler);
  if (sizeOf(list) > 1) return removeFrom(body, list, group);
  if (sizeOf(hooks) > 1) return removeFrom(body, hooks, event);
  return removeFrom(body, root, root.children?.findIndex((each) => each.children?.[1] === hooks) ?? -1);
}

function sizeOf({ children }: Node): number {
  return children?.length ?? 0;
}

/** Whether our hooks are there, all of them and no others, as they would be written now. */
export function hasHooks(text: string, { wish, file }: { readonly wish: HookWish; readonly file: string }): boolean {
  const { host } = wish;
  const found = placesOf(text, { host, file }).map(({ hooks, event, list, group }) => {
    const name: unknown = hooks.children?.[event]?.children?.[0]?.value;
    return JSON.stringify([name, getNodeValue(list.children?.[group] ?? list)]);
  });
  const wished = entriesFor(wish).map((entry) => JSON.stringify([entry.event, groupFor(entry, wish)]));
  return found.toSorted().join("\n") === wished.toSorted().join("\n");
}

/** The commands of ours in the text. */
export function commandsIn(text: string, from: SettingsText): readonly string[] {
  return placesOf(text, from).flatMap(({ command }) => (command === "" ? [] : [command]));
}

/** Where one of our commands stands: indexes into the children of the node before. */
interface Place {
  readonly hooks: Node;
  readonly event: number;
  readonly list: Node;
  readonly group: number;
  readonly handlers: Node;
  readonly handler: number;
  readonly command: string;
}

function placesOf(text: string, { host, file }: SettingsText): readonly Place[] {
  if (text.trim() === "") return [];
  return placesIn(rootOf(text.startsWith(BOM) ? text.slice(1) : text, file), host);
}

function placesIn(root: Node, host: HostName): readonly Place[] {
  const hooks = childOf(root, "hooks");
  return (hooks?.children ?? []).flatMap((member, event) => {
    const list = member.children?.[1];
    return (list?.children ?? []).flatMap((each, group) => {
      const handlers = childOf(each, "hooks");
      return (handlers?.children ?? []).flatMap((one, handler) => {
        const command = ourCommand(one, host);
        const isOurs = command !== null && hooks !== undefined && list !== undefined && handlers !== undefined;
        return isOurs ? [{ hooks, event, list, group, handlers, handler, command }] : [];
      });
    });
  });
}

/** The command of a hook of ours; empty for a call of our server; null for a hook of somebody else. */
function ourCommand(handler: Node, host: HostName): string | null {
  const said = (name: string): unknown => childOf(handler, name)?.value;
  const command = said("command");
  if (isHookCommand(command, host)) return command;
  const isCall = said("type") === "mcp_tool" && said("server") === OUR_TOOL.server && said("tool") === OUR_TOOL.tool;
  return isCall && host === "claude" ? "" : null;
}

/** A mark that some editors put at the beginning of a file stays there. */
function inBody(text: string, change: (body: string) => string): string {
  return text.startsWith(BOM) ? BOM + change(text.slice(1)) : change(text);
}

/** The object at the root, with `hooks` in the shape that hosts want. */
function rootOf(body: string, file: string): Node {
  const fail = (index: number, what: string) => broken(file, { body, index, what });
  const read = readJson(body);
  if ("fault" in read) throw fail(read.fault.index, read.fault.what);
  const { root } = read;
  if (root.type !== "object") throw fail(root.offset, "it is no object");
  const [, second] = root.children?.filter((each) => each.children?.[0]?.value === "hooks") ?? [];
  if (second !== undefined) throw fail(second.offset, '"hooks" stands there twice');
  const hooks = childOf(root, "hooks");
  if (hooks !== undefined && hooks.type !== "object") throw fail(hooks.offset, '"hooks" is no object');
  for (const { offset, children: [name, list] = [] } of hooks?.children ?? []) {
    if (list?.type !== "array") throw fail(list?.offset ?? offset, `${JSON.stringify(name?.value)} is no list`);
  }
  return root;
}

interface Fault {
  readonly body: string;
  readonly index: number;
  readonly what: string;
}

function broken(file: string, { body, index, what }: Fault): LockyardError {
  const before = body.slice(0, index).split("\n");
  const where = `${file}:${before.length}:${(before.at(-1) ?? "").length + 1}`;
  return new LockyardError("INVALID_CONFIG", `${where} ${what}. Nothing was changed.`, {
    hint: "Put it right, and try again.",
    faults: [{ where, what }],
  });
}
