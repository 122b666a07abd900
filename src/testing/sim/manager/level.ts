/** The manager level: production managers and layers on one store, with scripted agents. */
import type { Level } from "../levels.ts";
import { newManagerCatalogue, runManagerSeed } from "./run.ts";

export function managerLevel(): Level {
  const catalogue = newManagerCatalogue();
  return {
    name: "manager",
    catalogue,
    excused: new Map(),
    run: (seed) => runManagerSeed(seed, catalogue),
    close: () => undefined,
  };
}
