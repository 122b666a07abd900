/** The store of a run: the user's own, shared with every other process; memory where this Node cannot share. */
import type { Config } from "../../config/config.ts";
import type { StoreChoice } from "../../config/store-choice.ts";
import { errorCode, LockyardError } from "../../edges/basics.ts";
import { memoryStore, sqliteStore } from "../../edges/run.ts";
import type { StoreDescriptor } from "../../index.ts";

export interface RunStoreOptions {
  readonly choice: StoreChoice;
  /** How it is kept: as the user's configuration says. */
  readonly kept?: Config["store"];
  /** One line for people. */
  readonly say: (line: string) => void;
}

/** A store that was named is opened or refused; only the default falls back to memory, and says so. */
export function runStore({ choice, kept = {}, say }: RunStoreOptions): StoreDescriptor {
  return {
    open: async (context) => {
      if (choice.kind === "memory") {
        if (choice.because !== null) say(`lockyard: ${choice.because}: the locks of this run reach no other process.`);
        return memoryStore().open(context);
      }
      const { tier = "process", prompts = "full" } = kept;
      const file = choice.file === undefined ? {} : { file: choice.file };
      try {
        return await sqliteStore({ ...file, tier, prompts, onNotice: (line) => say(`lockyard: ${line}`) }).open(
          context,
        );
      } catch (error) {
        if (errorCode(error) !== "NODE_TOO_OLD") throw error;
        // Who names a store wants that one: the library's own fall back to memory would hide that it was not used.
        if (choice.file !== undefined)
          throw new LockyardError("STORE_UNAVAILABLE", String(error), { hint: "nvm install 24" });
        say(
          `lockyard: Node ${process.versions.node} cannot share locks between processes (needs 22.23, 24.15 or 26). The locks of this run reach no other process. Fix: nvm install 24`,
        );
        return memoryStore().open(context);
      }
    },
  };
}
