import fs from "node:fs";
import path from "node:path";
import { expect, test, vi } from "vitest";
import { type Directory, isAlive, useCommandLine } from "./harness.ts";

const { directory } = useCommandLine();

/** A command that says it began, and ends when `NAME.go` is there. */
function hold(name: string): readonly string[] {
  return ["node", "-e", holdScript(name)];
}

function holdScript(name: string): string {
  return `const fs=require('fs');fs.writeFileSync('${name}.started',String(process.pid));setInterval(()=>fs.existsSync('${name}.go')&&process.exit(),20)`;
}

/** What node prints when it runs `text` on the shell's command line of the harness. */
function inner(here: Directory, args: string): string {
  return `LOCKYARD_STORE=${here.path}/store.db $CLI ${args}`;
}

test("exec ends with the command's code, and with a shell's codes when it cannot be started", async () => {
  const here = directory();
  here.write("plain", "no program");
  const codes = async (...args: readonly string[]) => (await here.run(["exec", ...args])).code;
  expect(await codes("--use", "build", "--", "sh", "-c", "exit 7")).toBe(7);
  expect(await codes("--", "sh", "-c", "kill -9 $$")).toBe(137);
  expect(await codes("--", "no-such-program")).toBe(127);
  expect(await codes("--", "./plain")).toBe(126);
});

test("its own failures are 125, whatever they are", async () => {
  const here = directory();
  const wrong = await here.run(["exec", "--use", "biuld", "--", "true"]);
  expect(wrong).toMatchObject({ code: 125, stdout: "" });
  expect(wrong.stderr).toMatch(
    /^error: --use biuld: no capacity, pool or rate named "biuld"\.\nhint: Did you mean "build"/,
  );
  expect(wrong.stderr).toMatch(/--lock biuld/);
  expect((await here.run(["exec"])).code).toBe(125);
  expect((await here.run(["exec", "--nonsense", "--", "true"])).code).toBe(125);
  expect((await here.run(["exec", "--store", "memory", "--", "true"])).code).toBe(125);
  expect((await here.run(["exec", "--use", "build:1000000", "--", "true"])).code).toBe(125);
});

test("streams, arguments, directory and environment are the command's own", async () => {
  const here = directory();
  const script = `const fs=require("fs");process.stdout.write(fs.readFileSync(0));process.stderr.write("err ");process.stdout.write(JSON.stringify([process.argv.slice(2),process.cwd(),process.env.SECRET]))`;
  here.write("say.cjs", script);
  const { stdout, stderr, code } = await here.shell(
    `printf 'in ' | SECRET=kept ${inner(here, "exec --use build -- node say.cjs --help '*' '' -- x")}`,
  );
  expect(code).toBe(0);
  expect(stdout).toBe(`in ${JSON.stringify([["--help", "*", "", "--", "x"], here.path, "kept"])}`);
  expect(stderr).toBe("err ");
});

test("who waits says for what, then that the wait is over", async () => {
  const here = directory();
  const first = here.start(["exec", "--use", "build", "--", ...hold("a")]);
  await here.appeared("a.started");
  const second = here.start(["exec", "--use", "build", "--", "echo", "second"]);
  await second.until(
    /lockyard: waiting for build: in use by "node -e .*" \(pid \d+\) for \S+ \(1 of 1 in use\)\. Ctrl-C leaves the line\./,
  );
  expect(second.output.stdout).toBe("");
  const why = await here.run(["why", "build"]);
  expect(why.stdout).toMatch(/build \(1 of 1 unit in use\) is held by 1 task, and 1 task waits/);
  here.write("a.go", "");
  expect((await first.finished).code).toBe(0);
  const { code, stdout, stderr } = await second.finished;
  expect({ code, stdout }).toEqual({ code: 0, stdout: "second\n" });
  expect(stderr).toMatch(/lockyard: got build after \S+\.\n$/);
});

test("paths are where they are typed, and a directory covers what lies below", async () => {
  const here = directory();
  fs.mkdirSync(path.join(here.path, "src/api"), { recursive: true });
  const first = here.start(["exec", "--write", "src", "--", ...hold("a")]);
  await here.appeared("a.started");
  const below = await here.shell(`cd src && ${inner(here, "exec --no-wait --write api/users.ts -- echo no")}`);
  expect(below).toMatchObject({ code: 75, stdout: "" });
  const beside = await here.run(["exec", "--no-wait", "--write", "docs", "--", "echo", "yes"]);
  expect(beside).toMatchObject({ code: 0, stdout: "yes\n" });
  here.write("a.go", "");
  await first.finished;
});

test("a place in line outlives its waiter: run again, the same command is served first", async () => {
  const here = directory();
  const holder = here.start(["exec", "--lock", "m", "--", ...hold("a")]);
  await here.appeared("a.started");
  const late = ["exec", "--lock", "m", "--timeout", "50ms", "--", "sh", "-c", "echo first >> order"];
  const gaveUp = await here.run(late);
  expect(gaveUp.code).toBe(75);
  expect(gaveUp.stderr).toMatch(/Your place is kept for 3 minutes: run exactly the same command again\./);
  const other = here.start(["exec", "--lock", "m", "--", "sh", "-c", "echo second >> order"]);
  await other.until(/waiting for m/);
  const again = here.start(["exec", "--lock", "m", "--", "sh", "-c", "echo first >> order"]);
  await again.until(/waiting for m/);
  here.write("a.go", "");
  await Promise.all([holder.finished, other.finished, again.finished]);
  expect(here.read("order")).toBe("first\nsecond\n");
});

test("inside a host that gives up on its commands, exec gives up first and says what to do", async () => {
  const here = directory();
  const holder = here.start(["exec", "--lock", "m", "--", ...hold("a")]);
  await here.appeared("a.started");
  const { code, stderr } = await here.run(["exec", "--lock", "m", "--", "echo", "no"], {
    CLAUDECODE: "1",
    LOCKYARD_HOST_LIMIT: "500ms",
  });
  expect(code).toBe(75);
  expect(stderr).toMatch(
    /still in line for m after \S+\. Your place is kept for 3 minutes: run exactly the same command again\. Do not start it another way; nothing hangs\./,
  );
  here.write("a.go", "");
  await holder.finished;
});

test("exec inside exec never waits for what it is inside of, and takes no second unit", async () => {
  const here = directory();
  const both = inner(here, "exec --use build --write a/b -- echo deepest");
  const { code, stdout } = await here.shell(
    inner(here, `exec --use build --write a -- bash -c '${inner(here, `exec --use build -- bash -c "${both}"`)}'`),
  );
  expect({ code, stdout }).toEqual({ code: 0, stdout: "deepest\n" });
});

test("exec inside a task of a plan is inside that task", async () => {
  const here = directory();
  here.write(
    "plan.yaml",
    "name: p\ntasks:\n  t: { run: 'COMMAND exec --use build --write src -- echo fine > out', shell: true, use: build, write: src }\n",
  );
  const { code, stderr } = await here.shell(`sed -i "s#COMMAND#$CLI#" plan.yaml && ${inner(here, "run plan.yaml")}`);
  expect(`${code}${stderr}`).toBe("0");
  expect(here.read("out")).toBe("fine\n");
});

test("three holders that each want the next one's lock: the one that would close the ring is refused, naming them", async () => {
  const here = directory();
  const started = (name: string) => `touch ${name}.started; while [ ! -e go ]; do sleep 0.02; done;`;
  const link = (name: string, wants: string) =>
    here.shell(
      inner(
        here,
        `exec --lock ${name} -- bash -c '${started(name)} ${inner(here, `exec --lock ${wants} -- true`)}; echo code $?'`,
      ),
    );
  const all = [link("x", "y"), link("y", "z"), link("z", "x")];
  await Promise.all(["x", "y", "z"].map((name) => here.appeared(`${name}.started`)));
  here.write("go", "");
  const ends = await Promise.all(all);
  const refused = ends.filter(({ stdout }) => stdout === "code 125\n");
  expect(refused).toHaveLength(1);
  expect(refused[0]?.stderr).toMatch(/error DEADLOCK: /);
  expect(ends.filter(({ stdout }) => stdout === "code 0\n")).toHaveLength(2);
});

test("a signal goes to the command, and its end is told as a shell tells it", async () => {
  const here = directory();
  const script = `process.on("SIGTERM",()=>{require("fs").writeFileSync("told","");process.exit(9)});require("fs").writeFileSync("up","");setInterval(()=>0,1000)`;
  const run = here.start(["exec", "--", "node", "-e", script]);
  await here.appeared("up");
  run.child.kill("SIGTERM");
  expect((await run.finished).code).toBe(9);
  expect(here.exists("told")).toBe(true);
});

test("who is interrupted in line leaves it, and nothing was started", async () => {
  const here = directory();
  const holder = here.start(["exec", "--lock", "m", "--", ...hold("a")]);
  await here.appeared("a.started");
  const waiter = here.start(["exec", "--lock", "m", "--", "touch", "started"]);
  await waiter.until(/waiting for m/);
  waiter.child.kill("SIGINT");
  expect((await waiter.finished).code).toBe(130);
  expect((await here.run(["status"])).stdout).toMatch(/0 waiting/);
  here.write("a.go", "");
  await holder.finished;
  expect(here.exists("started")).toBe(false);
});

test("exec killed with -9: what it started is dead before the next one gets the lock", async () => {
  const here = directory();
  const script = "setsid sleep 1000 & echo $! > pids; sleep 1000 & echo $! >> pids; touch up; wait";
  const holder = here.start(["exec", "--lock", "m", "--", "bash", "-c", script]);
  await here.appeared("up");
  const waiter = here.start(["exec", "--lock", "m", "--", "echo", "mine"]);
  await waiter.until(/waiting for m/);
  holder.child.kill("SIGKILL");
  expect(await waiter.finished).toMatchObject({ code: 0, stdout: "mine\n" });
  const pids = here.read("pids").trim().split("\n").map(Number);
  expect(pids.map(isAlive)).toEqual([false, false]);
});

test("what a command leaves behind is kept, unless it is to be ended", async () => {
  const here = directory();
  const leave = ["bash", "-c", "sleep 1000 > /dev/null 2>&1 & echo $!"];
  const kept = Number((await here.run(["exec", "--use", "build", "--", ...leave])).stdout);
  expect(isAlive(kept)).toBe(true);
  process.kill(kept, "SIGKILL");
  const ended = Number((await here.run(["exec", "--leftovers", "kill", "--", ...leave])).stdout);
  expect(isAlive(ended)).toBe(false);
});

test("cancelled from another terminal, it ends with everything it started", async () => {
  const here = directory();
  const run = here.start(["exec", "--lock", "m", "--", ...hold("a")]);
  await here.appeared("a.started");
  const pid = Number(here.read("a.started"));
  const cancel = await here.run(["cancel", "--all"]);
  expect(cancel).toMatchObject({ code: 0, stdout: "1 task cancelled, their processes are gone.\n" });
  const { code, stderr } = await run.finished;
  expect({ code, stderr }).toEqual({ code: 143, stderr: "lockyard: stopped by `lockyard cancel`.\n" });
  expect(isAlive(pid)).toBe(false);
});

test("detached, it goes on by itself; wait brings its code and where its output is", async () => {
  const here = directory();
  const started = await here.run(["exec", "--detach", "--lock", "m", "--", "sh", "-c", "echo out; exit 3"]);
  const id = started.stdout.trim();
  expect(id).toMatch(/^exec-\w{6}$/);
  const waited = await here.run(["wait", id]);
  expect(waited.code).toBe(3);
  const [, file = ""] = /^exec-\w+: ended with exit code 3 after \S+\. Its output: (\S+)\n$/.exec(waited.stdout) ?? [];
  expect(fs.readFileSync(file, "utf8")).toBe("out\n");
  expect(fs.statSync(file).mode & 0o777).toBe(0o600);
  expect((await here.run(["wait", "exec-nobody", "--timeout", "100ms"])).code).toBe(2);
});

test("wait answers in time although nothing has ended", async () => {
  const here = directory();
  const started = await here.run(["exec", "--detach", "--", ...hold("a")]);
  const id = started.stdout.trim();
  await here.appeared("a.started");
  const waited = await here.run(["wait", id, "--timeout", "200ms"]);
  expect(waited.code).toBe(75);
  expect(waited.stdout).toMatch(
    /is not over: it has been running for \S+\. Nothing hangs; ask again: lockyard wait exec-/,
  );
  here.write("a.go", "");
  expect((await here.run(["wait", id])).code).toBe(0);
});

test("without a store, capacities let through and locks do not", async () => {
  const here = directory();
  here.write("store.db", "this is no store, whatever it is called, and it is long enough to be looked at as one");
  const open = await here.run(["exec", "--use", "build", "--", "echo", "ran"]);
  expect(open).toMatchObject({ code: 0, stdout: "ran\n" });
  expect(open.stderr).toMatch(/^lockyard: .*Running without build\.\n$/s);
  const closed = await here.run(["exec", "--write", "src", "--", "echo", "ran"]);
  expect(closed).toMatchObject({ code: 125, stdout: "" });
  expect(closed.stderr).toMatch(/Nothing was started, because \S+src could not be locked/);
  expect((await here.run(["exec", "--if-broken", "run", "--write", "src", "--", "echo", "ran"])).stdout).toBe("ran\n");
  expect((await here.run(["exec", "--if-broken", "fail", "--use", "build", "--", "echo", "ran"])).code).toBe(125);
});

test("LOCKYARD=off runs the command and nothing else", async () => {
  const here = directory();
  const { code, stdout, stderr } = await here.run(["exec", "--use", "biuld", "--", "sh", "-c", "echo x; exit 4"], {
    LOCKYARD: "off",
  });
  expect({ code, stdout, stderr }).toEqual({ code: 4, stdout: "x\n", stderr: "" });
  expect(here.exists("store.db")).toBe(false);
});

test("ten at once on one unit: never two, and all of them run", async () => {
  const here = directory();
  const script = `const fs=require("fs");fs.mkdirSync("in");setTimeout(()=>{fs.rmdirSync("in");fs.appendFileSync("done","x")},15)`;
  const runs = await Promise.all(
    Array.from({ length: 10 }, () => here.run(["exec", "--use", "build", "--", "node", "-e", script])),
  );
  expect(runs.map(({ code }) => code)).toEqual(Array(10).fill(0));
  expect(here.read("done")).toBe("x".repeat(10));
});

test("as JSON, standard error tells what happens and standard output stays the command's", async () => {
  const here = directory();
  const { stdout, stderr } = await here.run(["exec", "--json", "--use", "build", "--", "echo", "x"]);
  expect(stdout).toBe("x\n");
  const lines = stderr
    .trim()
    .split("\n")
    .map((line) => JSON.parse(line));
  expect(lines.map(({ type }) => type)).toEqual(["started", "finished"]);
  expect(lines[1]).toMatchObject({ exitCode: 0, result: { success: true, output: { exitCode: 0 } } });
});

test("a reader that is gone ends the command as without us", async () => {
  const here = directory();
  const { stdout } = await here.shell(`${inner(here, "exec -- yes")} | head -1`);
  expect(stdout).toBe("y\n");
});

test("stdin that never ends does not keep exec from ending", async () => {
  const here = directory();
  const { code } = await here.shell(
    `sleep 1000 | { ${inner(here, "exec -- true")}; c=$?; kill %1 2>/dev/null; pkill -P $$ sleep; exit $c; }`,
  );
  expect(code).toBe(0);
});

test("what ran before tells how long it usually takes", async () => {
  const here = directory();
  for (const _ of [1, 2]) await here.run(["exec", "--use", "build", "--", "sh", "-c", "test -e never || true"]);
  const script = "touch a.started; while [ ! -e a.go ]; do sleep 0.02; done";
  const first = here.start(["exec", "--use", "build", "--", "sh", "-c", script]);
  await here.appeared("a.started");
  const second = here.start(["exec", "--use", "build", "--", "true"]);
  await second.until(/in use by "sh -c .*" \(pid \d+\) for \S+, usually \S+ \(1 of 1 in use\)\. About \S+\./);
  here.write("a.go", "");
  await Promise.all([first.finished, second.finished]);
});

test("killed with -9 while nobody waits, it takes its command with it all the same", async () => {
  const here = directory();
  const run = here.start(["exec", "--lock", "m", "--", ...hold("a")]);
  await here.appeared("a.started");
  const pid = Number(here.read("a.started"));
  run.child.kill("SIGKILL");
  await vi.waitFor(() => expect(isAlive(pid)).toBe(false), { timeout: 30_000, interval: 20 });
});

test("a limit of memory is kept, or plainly refused", async () => {
  const here = directory();
  const script = "const all=[];for(let i=0;i<64;i++)all.push(Buffer.alloc(8<<20,1));console.log('had it')";
  const { code, stdout, stderr } = await here.run(["exec", "--mem", "200m", "--", "node", "-e", script]);
  if (code === 125) expect(stderr).toMatch(/^error: Memory cannot be limited here: .+\.\nhint: Leave --mem out/);
  else expect(code).toBe(137);
  expect(stdout).toBe("");
  expect((await here.run(["exec", "--mem", "lots", "--", "true"])).code).toBe(125);
});
