/** Which processes may outlive the command that started them: shared daemons that other tasks use too. */
import { type ProcessEntry, readCommandLine } from "./proc-table.ts";

/** Names looked for in the program's name and command line, whole words. Settable; this is what ships. */
export const SHARED_DAEMONS: readonly string[] = [
  "bazel",
  "buck2d",
  "ccache",
  "containerd-shim",
  "docker",
  "dockerd",
  "git-credential-cache--daemon",
  "fsmonitor--daemon",
  "gpg-agent",
  "GradleDaemon",
  "KotlinCompileDaemon",
  "mill-server",
  "nailgun",
  "nx/src/daemon",
  "podman",
  "sccache",
  "screen",
  "ssh-agent",
  "tmux",
  "turbod",
  "turbo daemon",
  "watchman",
];

/** Whether a process is a shared daemon by the given list. */
export function isSharedDaemon(entry: ProcessEntry, names: readonly string[] = SHARED_DAEMONS): boolean {
  const text = `${entry.name} ${readCommandLine(entry.pid)}`;
  return names.some((name) => containsWord(text, name));
}

/** `docker` in `/usr/bin/docker ps`, not in `dockerfile-lint`. */
function containsWord(text: string, word: string): boolean {
  for (let at = text.indexOf(word); at !== -1; at = text.indexOf(word, at + 1)) {
    if (!isWordPart(text[at - 1]) && !isWordPart(text[at + word.length])) return true;
  }
  return false;
}

function isWordPart(character: string | undefined): boolean {
  return character !== undefined && /[\w-]/.test(character);
}
