/** Locks for hosts without hooks: offered when the user asks for them. */
import { type Answer, plainAnswer } from "./answers.ts";
import { listed, locking, releasing } from "./schemas.ts";
import { defineTool, type Tool, type Tooling } from "./tool.ts";

const honest = { readOnlyHint: false, destructiveHint: false, idempotentHint: false, openWorldHint: false };

export function lockTools(tooling: Tooling): readonly Tool[] {
  return [
    defineTool({
      name: "acquire_locks",
      title: "Lock before you edit",
      description:
        "Waits in line for paths, capacities and names, at most 45 seconds, and holds them for you until release_locks, at most 10 minutes. Call it again with renew to keep them longer.",
      annotations: honest,
      input: locking,
      run: async ({ write, read, use, lock, seconds = 45, renew }, { client }): Promise<Answer> => {
        const desk = await tooling.desk();
        if (renew !== undefined) return plainAnswer({ ...(await desk.renew(renew)) });
        const request = { write: listed(write), read: listed(read), use: listed(use), lock: listed(lock) };
        const held = await desk.lock(request, { waitMs: seconds * 1_000, client });
        if (held !== null) return plainAnswer({ ...held, next: "Call release_locks as soon as you are done." });
        return plainAnswer({
          id: null,
          held: false,
          next: "Not free yet, and nothing is held. Do something else and ask again; why names who holds it.",
        });
      },
    }),
    defineTool({
      name: "release_locks",
      title: "Let go of locks",
      description: "Lets go of what acquire_locks got.",
      annotations: { ...honest, idempotentHint: true },
      input: releasing,
      run: async ({ id }) => {
        await (await tooling.desk()).release(id);
        return plainAnswer({ released: id });
      },
    }),
  ];
}
