/** What the command line needs of this folder. */
export { applyGitHook, gitHook, hasGitHook } from "./git-hook.ts";

export type { Program } from "./hook-command.ts";
export { HOST_NAMES, HOSTS, type Scope } from "./host-settings.ts";
export { HookInstaller, type HostStatus, type InstalledHooks } from "./installer.ts";
export { HookPause } from "./pause.ts";
export type { Change } from "./settings-file.ts";
export { textDiff } from "./text-diff.ts";
