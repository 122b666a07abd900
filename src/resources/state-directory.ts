import { homedir } from "node:os";
import { join } from "node:path";

/** Where this user's state lies: `$XDG_STATE_HOME/lockyard`, else below `~/.local/state`. */
export function stateDirectory(): string {
  const base = process.env.XDG_STATE_HOME;
  // The base directory specification: a relative value is to be ignored.
  return join(base?.startsWith("/") ? base : join(homedir(), ".local", "state"), "lockyard");
}
