/**
 * The real child process that a task of the storm is: it says in the monitor's book that it began, that it is there (each
 * pause), and that it ended. Each record is one `write` of an O_APPEND file, so the book has one order for all processes.
 *
 * In mode `detached` the part that works runs in a session of its own, where the death of its parent does not reach it.
 */
export const HOLDER_SCRIPT = `#!/bin/sh
# book, task, claims, pauses, seconds of a pause, mode
exec 3>>"$1"
say() { printf '%s %s %s %s %s\\n' "$1" "$LOCKYARD_FENCE" "$2" $$ "$3" >&3; }
if [ "$6" != worker ]; then say b "$2" "$3"; fi
if [ "$6" = detached ]; then
  $(command -v setsid) sh "$0" "$1" "$2" "$3" "$4" "$5" worker &
  wait $! || exit 1
else
  left=$4
  while [ "$left" -gt 0 ]; do
    sleep "$5"
    left=$((left - 1))
    say t "$2" -
  done
  say e "$2" -
fi
[ "$6" = worker ] || printf '::lockyard {"result":{"fence":%s}}\\n' "$LOCKYARD_FENCE"
`;
