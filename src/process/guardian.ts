/**
 * Ends what runs for this process when it is killed: a small shell that holds the other end of a pipe. The pipe ends with
 * this process, however it ends; then the shell asks all that still ran to end, and kills what does not.
 *
 *  W1 told of a task before its process starts, and of its end after it is proven: what a task left on purpose is not touched
 *  W2 parents and session leaders of processes of other users, which cannot be ended, are stopped and left: they are the
 *     witnesses by which whoever looks next knows those (see remains.ts)
 *  W3 it can only come too late, never do harm: whoever is granted the lock next sweeps all the same, and proves it
 *
 * Started with the first command, one for each agent that runs commands; why a shell, and what else was measured, stands
 * in docs/decisions/0004-process-ownership.md.
 */
import { type ChildProcess, spawn } from "node:child_process";
import { cgroupPlace } from "./cgroup.ts";
import { MARKER_VARIABLE } from "./marker.ts";
import { hasProcessTable } from "./proc-table.ts";

/** $1: the directory of our control group, or nothing. Lines on stdin: `+ MARKER`, `- MARKER`. */
const SCRIPT = `
trap '' HUP INT QUIT TERM
group=$1
live=' '
while read -r sign marker; do
  case $sign in
    +) live="$live$marker " ;;
    -) live="\${live%% $marker *} \${live#* $marker }" ;;
  esac
done
[ "$live" = ' ' ] && exit 0
any=
for marker in $live; do any="$any|$marker"; done
ties=' '
[ "$(id -u)" = 0 ] || for dir in /proc/[0-9]*; do
  [ -O "$dir" ] && continue
  read -r line 2>/dev/null <"$dir/stat" || continue
  set -- \${line##*) }
  ties="$ties$2 $4 "
done
send() {
  found=
  for file in $(grep -lszE "^${MARKER_VARIABLE}=([^ ]* )*(\${any#?})( |$)" /proc/[0-9]*/environ 2>/dev/null); do
    pid=\${file#/proc/}
    pid=\${pid%/environ}
    case $ties in
      *" $pid "*) kill -STOP "$pid" ;;
      *) found="$found $pid" ;;
    esac
  done
  [ -n "$found" ] && kill "-$1" $found 2>/dev/null
}
send TERM
sleep 0.075
[ -n "$group" ] && for marker in $live; do echo 1 >"$group/lockyard-$marker/cgroup.kill"; done 2>/dev/null
round=0
while send KILL; [ -n "$found" ] && [ $round -lt 40 ]; do
  round=$((round + 1))
  sleep 0.02
done
[ -n "$group" ] && for marker in $live; do rmdir "$group/lockyard-$marker"; done 2>/dev/null
exit 0
`;

export class Guardian {
  #shell: ChildProcess | null = null;
  readonly #live = new Set<string>();

  /** From now on until the answer is called, what carries the marker does not outlive this process for long. */
  watch(marker: string): () => void {
    if (!hasProcessTable()) return () => undefined;
    this.#live.add(marker);
    if (this.#shell === null) this.#start();
    else this.#tell(`+ ${marker}`);
    return () => {
      if (this.#live.delete(marker)) this.#tell(`- ${marker}`);
    };
  }

  /** Lets the shell go if it watches nothing. The next `watch` starts another. */
  close(): void {
    if (this.#live.size > 0) return;
    this.#shell?.stdin?.end();
    this.#shell = null;
  }

  #start(): void {
    const place = cgroupPlace();
    const inherited = process.env[MARKER_VARIABLE];
    const shell = spawn("/bin/sh", ["-c", SCRIPT, "lockyard-guardian", "why" in place ? "" : place.directory], {
      // Of no terminal and no group that is signalled with ours; in no directory that somebody may want to take away.
      detached: true,
      cwd: "/",
      stdio: ["pipe", "ignore", "ignore"],
      // It is a part of whatever task this process itself runs in.
      env: { PATH: process.env.PATH, ...(inherited === undefined ? undefined : { [MARKER_VARIABLE]: inherited }) },
    });
    const over = (): void => {
      if (this.#shell === shell) this.#shell = null;
    };
    // Without a shell (ENOENT), or when somebody kills it, W3 holds.
    shell.on("error", over);
    shell.on("exit", over);
    shell.stdin?.on("error", over);
    shell.unref();
    this.#shell = shell;
    for (const marker of this.#live) this.#tell(`+ ${marker}`);
    // A handle of a pipe keeps the loop alive; this one must not.
    if (shell.stdin !== null && "unref" in shell.stdin && typeof shell.stdin.unref === "function") shell.stdin.unref();
  }

  #tell(line: string): void {
    this.#shell?.stdin?.write(`${line}\n`);
  }
}
