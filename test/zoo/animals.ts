/**
 * Processes that try to outlive whoever started them. Each script starts some that sleep for `SECONDS`, a number no other
 * process of this machine sleeps for, waits until `count` of them do, says `ready`, and stays.
 */
export interface Animal {
  readonly name: string;
  /** Processes that sleep for SECONDS. */
  readonly count: number;
  readonly script: string;
  /** Gets away when nothing but a control group could hold it. */
  readonly needsCgroup?: boolean;
  /** A program it cannot do without. */
  readonly needs?: string;
}

export const ANIMALS: readonly Animal[] = [
  { name: "plain child", count: 1, script: "sleep SECONDS &" },
  { name: "child of a child of a child", count: 1, script: "sh -c 'sh -c \"sleep SECONDS; :\"; :' &" },
  { name: "setsid", count: 1, script: "setsid sleep SECONDS &" },
  { name: "nohup", count: 1, script: "nohup sleep SECONDS >/dev/null 2>&1 &" },
  { name: "double fork", count: 1, script: "(sh -c 'sleep SECONDS &') &" },
  { name: "double fork with setsid", count: 1, script: "(setsid sh -c 'setsid sleep SECONDS &') &" },
  { name: "empty environment", count: 1, script: "env -i /bin/sleep SECONDS &" },
  { name: "empty environment and setsid", count: 1, script: "env -i /usr/bin/setsid /bin/sleep SECONDS &" },
  {
    name: "deaf to TERM, HUP and INT",
    count: 2,
    script: "(trap '' TERM HUP INT; sleep SECONDS & exec sleep SECONDS) &",
  },
  {
    name: "stopped",
    count: 1,
    script: "sleep SECONDS & until ps -o args= -p $! | grep -q ^sleep; do :; done; kill -STOP $!",
  },
  {
    name: "starts another when it is asked to end",
    count: 1,
    script: "trap 'setsid sleep SECONDS & setsid sleep SECONDS &' TERM; sleep SECONDS &",
  },
  { name: "one that holds the pipe", count: 1, script: "(setsid sh -c 'sleep SECONDS; echo late' &) ; :" },
  {
    name: "fork storm",
    count: 200,
    script: "(trap '' TERM; i=0; while [ $i -lt 200 ]; do setsid sleep SECONDS & i=$((i+1)); done; wait) &",
  },
  { name: "traced by strace", count: 1, script: "strace -f -o /dev/null sleep SECONDS &", needs: "strace" },
  {
    name: "starts for ever",
    count: 20,
    script: "(trap '' TERM; while :; do setsid sh -c 'sleep SECONDS' & sleep 0.02; done) &",
  },
  {
    name: "detached twice with an empty environment",
    count: 1,
    script: "(env -i /usr/bin/setsid /bin/sh -c '/usr/bin/setsid /bin/sleep SECONDS &') ; :",
    needsCgroup: true,
  },
];

/** The whole script: starts them, waits until they are there, says so, stays. */
export function scriptOf({ script, count }: Animal, seconds: string): string {
  const started = script.replaceAll("SECONDS", seconds);
  const seen = `ps -eo args= | grep -c '^[/a-z]*sleep ${seconds}'`;
  return `${started}\nwhile [ "$(${seen})" -lt ${count} ]; do sleep 0.01; done\necho ready\nwhile :; do sleep 1000; done`;
}
