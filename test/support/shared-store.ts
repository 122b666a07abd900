/** One memory store that several managers open as if they were processes: each speaks in its own name. */
import type { Command, Effect, Owner } from "../../src/core/command.ts";
import type { Awaitable, Clock, Store, StoreDescriptor } from "../../src/core/ports.ts";
// Loaded by the manager of a shared store; before the clock stands still here.
import "../../src/process/identity.ts";
import { openMemoryStore } from "../../src/stores/memory/index.ts";

/** Answers later when `isSlow`. */
export function sharedStore(
  clock: Clock,
  options: { readonly isSlow?: boolean; readonly before?: (commands: readonly Command[]) => void } = {},
) {
  const store = openMemoryStore({ clock });
  const answer = <T>(value: T): Awaitable<T> => (options.isSlow === true ? Promise.resolve().then(() => value) : value);
  const descriptor: StoreDescriptor = {
    open: async () => {
      let ownerId = "";
      return {
        kind: "memory",
        scope: "machine",
        location: "shared",
        turn: (commands: readonly Command[]) => {
          options.before?.(commands);
          return answer(store.turnFor(ownerId, commands));
        },
        join: (owner: Owner, onEffects: (effects: readonly Effect[]) => void) => {
          ownerId = owner.ownerId;
          return store.join(owner, onEffects);
        },
        nextDueAtMs: () => store.nextDueAtMs(),
        view: (read) => answer(store.view(read)),
        close: () => undefined,
      } satisfies Store;
    },
  };
  return { store, descriptor };
}
