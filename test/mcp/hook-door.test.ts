import { expect, test } from "vitest";
import { type Directory, useCommandLine } from "../cli/harness.ts";
import { type Host, useHosts } from "./harness.ts";

const { directory } = useCommandLine();
const host = useHosts();

/** As the host fills in its placeholders. */
const hook = ({ call }: Host, here: Directory, session: string, fields: Readonly<Record<string, string>>) =>
  call("hook", { session_id: session, agent_id: "", cwd: here.path, tool_use_id: "toolu_1", ...fields });

test("an edit of what another session changed since it was read is refused, in the words of the host", async () => {
  const here = directory();
  const file = here.write("src/cart.ts", "one\n");
  // Each session has its own server; they meet in the store.
  const [one, two] = [await host(here, { args: ["--hooks"] }), await host(here, { args: ["--hooks"] })];
  const input = JSON.stringify({ file_path: file });
  const edit = (hook_event_name: string) => ({ hook_event_name, tool_name: "Edit", tool_input: input });
  const read = { hook_event_name: "PreToolUse", tool_name: "Read", tool_input: input };
  expect((await hook(one, here, "first", read)).text).toBe("{}");
  await hook(two, here, "second", read);
  expect((await hook(two, here, "second", edit("PreToolUse"))).text).toBe("{}");
  here.write("src/cart.ts", "two\n");
  await hook(two, here, "second", edit("PostToolUse"));
  await hook(two, here, "second", { hook_event_name: "Stop" });
  const { text } = await hook(one, here, "first", edit("PreToolUse"));
  const { hookSpecificOutput: said } = JSON.parse(text);
  expect(said).toMatchObject({ hookEventName: "PreToolUse", permissionDecision: "deny" });
  expect(said.permissionDecisionReason).toMatch(/changed after you read it/);
});

test("what is not understood passes, and without --hooks there is no such tool", async () => {
  const here = directory();
  const at = await host(here, { args: ["--hooks"] });
  const odd = { hook_event_name: "PreToolUse", tool_name: "Edit", tool_input: ["$", "{tool_input}"].join("") };
  expect((await hook(at, here, "s", odd)).text).toBe("{}");
  expect((await hook(at, here, "s", { hook_event_name: "FromTheFuture" })).text).toBe("{}");
  expect((await at.call("hook", {})).text).toBe("{}");
  const { client } = await host(here);
  expect((await client.listTools()).tools.map(({ name }) => name)).not.toContain("hook");
});
