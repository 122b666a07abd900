/** A process is killed with -9: whoever waits gets its lock, and not before everything it left is gone. */
import { execFileSync } from "node:child_process";
import fs from "node:fs";
import os from "node:os";
import path from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { Member, type MemberOptions } from "./members.ts";
import { endSleepers, nameFor, sleepersOf } from "./watching.ts";

const NOBODY = 65_534;
const STRANGER = 12_345;
let folder = "";
let file = "";
let seconds = "";
let count = 500;
const members: Member[] = [];

beforeEach(() => {
  folder = fs.mkdtempSync(path.join(os.tmpdir(), "lockyard-zoo-"));
  fs.chmodSync(folder, 0o777);
  file = path.join(folder, "state", "store.db");
  seconds = nameFor(count++);
});

afterEach(async () => {
  for (const member of members.splice(0)) await member.kill();
  endSleepers(seconds);
  fs.rmSync(folder, { recursive: true, force: true });
});

function start(options: Omit<MemberOptions, "file"> = {}): Member {
  const member = new Member({ file, ...options });
  members.push(member);
  return member;
}

/** Members whose tasks stand in line. */
async function startWaiting(options: readonly Omit<MemberOptions, "file">[]): Promise<readonly Member[]> {
  const waiters = options.map((each) => start(each));
  for (const waiter of waiters) {
    await waiter.hears("ready");
    waiter.tell("wait");
  }
  await waiters[0]?.sees(({ waiting }) => waiting === waiters.length);
  return waiters;
}

const LEFT = () =>
  `setsid sleep ${seconds} & nohup sleep ${seconds} >/dev/null 2>&1 & (trap '' TERM; setsid sleep ${seconds}) & until [ "$(ps -eo args= | grep -c '^sleep ${seconds}')" -ge 3 ]; do :; done; echo up; wait`;

test("two that wait judge at once and do not disturb each other: one gets it, then the other, nobody of the dead lives", async () => {
  const holder = start({ script: LEFT() });
  await holder.hears("ready");
  holder.tell("hold");
  await holder.hears("up");
  expect(sleepersOf(seconds)).toHaveLength(3);
  const waiters = await startWaiting([{}, {}]);
  await holder.kill();
  await Promise.race(waiters.map((waiter) => waiter.hears("granted")));
  expect(sleepersOf(seconds)).toEqual([]);
  const results = await Promise.all(waiters.map((waiter) => waiter.hears("result")));
  expect(results.map(({ status }) => status)).toEqual(["succeeded", "succeeded"]);
});

const isRoot = process.getuid?.() === 0;
const canUnshare = isRoot && worksWith(["unshare", "--pid", "--fork", "--mount-proc", "true"]);
if (!canUnshare) console.warn("SKIPPED: pid namespaces, because `unshare --pid --mount-proc` is not allowed here.");

function worksWith([program = "", ...rest]: readonly string[]): boolean {
  try {
    execFileSync(program, rest, { stdio: "ignore" });
    return true;
  } catch {
    return false;
  }
}

describe.skipIf(!canUnshare)("another pid namespace", () => {
  test.each([
    { holder: true, waiter: false },
    { holder: false, waiter: true },
  ])(
    "a living holder is never judged dead across it (holder inside: $holder)",
    async ({ holder: inside, waiter: outside }) => {
      const holder = start({ script: `echo up; exec sleep ${seconds}`, isApart: inside });
      await holder.hears("ready");
      holder.tell("hold");
      await holder.hears("up");
      const [waiter] = await startWaiting([{ isApart: outside }]);
      if (waiter === undefined) throw new Error("nobody waits");
      // Stopped: it does not beat any more, and its lease lapses. It lives all the same.
      const [sleeper] = sleepersOf(seconds);
      signalAll(holder, "SIGSTOP");
      await waiter.sees(({ quarantined }) => quarantined === true);
      expect(waiter.hasSaid("granted")).toBe(false);
      expect(sleepersOf(seconds)).toEqual([sleeper]);
      signalAll(holder, "SIGCONT");
    },
  );
});

/** The member itself; in a namespace of its own it is the child of `unshare`. */
function signalAll({ child }: Member, signal: NodeJS.Signals): void {
  const pid = child.pid ?? 0;
  const children = fs.readFileSync(`/proc/${pid}/task/${pid}/children`, "latin1").trim().split(" ").filter(Boolean);
  const isUnshare = fs.readFileSync(`/proc/${pid}/comm`, "latin1").trim() === "unshare";
  process.kill(isUnshare ? Number(children[0]) : pid, signal);
}

const foreign = isRoot ? foreignHelper() : { helper: "", why: "we are not root, and cannot be two other users" };
if (foreign.why !== null) console.warn(`SKIPPED: processes of another user, because ${foreign.why}.`);

/** A program by which anybody becomes a stranger, as sudo would be: a copy of setpriv with the setuid bit. */
function foreignHelper(): { readonly helper: string; readonly why: string | null } {
  const place = fs.mkdtempSync(path.join(os.tmpdir(), "lockyard-suid-"));
  process.on("exit", () => fs.rmSync(place, { recursive: true, force: true }));
  const helper = path.join(place, "become");
  try {
    fs.chmodSync(place, 0o755);
    fs.copyFileSync(execFileSync("sh", ["-c", "command -v setpriv"], { encoding: "utf8" }).trim(), helper);
    fs.chmodSync(helper, 0o4755);
    const told = execFileSync(helper, ["--reuid", String(STRANGER), "--clear-groups", "id", "-u"], {
      encoding: "utf8",
      uid: NOBODY,
      gid: NOBODY,
    });
    if (told.trim() !== String(STRANGER)) return { helper, why: "the setuid bit has no effect here" };
    execFileSync(process.execPath, ["-e", "0"], { uid: NOBODY, gid: NOBODY });
    fs.accessSync(new URL("./member.ts", import.meta.url));
    return { helper, why: null };
  } catch (error) {
    return {
      helper,
      why: `it cannot be set up (${error instanceof Error ? error.message.split("\n")[0] : "unknown"})`,
    };
  }
}

describe.skipIf(foreign.why !== null)("a process of another user, that we may not signal", () => {
  const BECOME = () =>
    `${foreign.helper} --reuid ${STRANGER} --clear-groups sleep ${seconds} & until ps -eo args= | grep -q '^sleep ${seconds}'; do :; done; echo up; wait`;

  test("is named, quarantines what its task held, and frees it when it is gone", async () => {
    const holder = start({ script: BECOME(), uid: NOBODY });
    await holder.hears("ready");
    holder.tell("hold");
    await holder.hears("up");
    holder.tell("cancel");
    const result = await holder.hears("result");
    expect(result).toMatchObject({ status: "failed", code: "NOT_STOPPED" });
    expect(result.message).toMatch(/left 1 process that could not be stopped: sleep \(\d+\)/);
    expect((await holder.hears("cancelled")).count).toBe(0);
    holder.tell("wait");
    await holder.sees(({ waiting, quarantined }) => waiting === 1 && quarantined === true);
    expect(holder.hasSaid("granted")).toBe(false);
    endSleepers(seconds);
    await holder.hears("granted");
  });

  test("left by a process that was killed: whoever looks, and how often, it is not granted while it lives", async () => {
    const holder = start({ script: BECOME(), uid: NOBODY });
    await holder.hears("ready");
    holder.tell("hold");
    await holder.hears("up");
    const waiters = await startWaiting([{ uid: NOBODY }, { uid: NOBODY }]);
    await holder.kill();
    await waiters[0]?.sees(({ quarantined }) => quarantined === true);
    expect(sleepersOf(seconds)).toHaveLength(1);
    expect(waiters.some((waiter) => waiter.hasSaid("granted"))).toBe(false);
    endSleepers(seconds);
    const results = await Promise.all(waiters.map((waiter) => waiter.hears("result")));
    expect(results.map(({ status }) => status)).toEqual(["succeeded", "succeeded"]);
  });
});

test("what runs for a process that is killed ends soon, although nobody waits for anything", async () => {
  const holder = start({ script: LEFT() });
  await holder.hears("ready");
  holder.tell("hold");
  await holder.hears("up");
  expect(sleepersOf(seconds)).toHaveLength(3);
  await holder.kill();
  while (sleepersOf(seconds).length > 0) await new Promise((resolve) => setImmediate(resolve));
});
