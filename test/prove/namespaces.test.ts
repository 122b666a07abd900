/** Two containers, as the store sees them: processes of two pid namespaces that share one file. */
import { type ChildProcess, spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import fs from "node:fs";
import path from "node:path";
import { fileURLToPath } from "node:url";
import { afterEach, expect, test } from "vitest";
import { systemClock } from "../../src/clock/system-clock.ts";
import { LEASE } from "../../src/core/bounds.ts";
import type { StoreView } from "../../src/core/ports.ts";
import { openSqliteStore } from "../../src/stores/sqlite/index.ts";
import { LIMIT_MS } from "./form.ts";
import { usePlaces } from "./places.ts";

const WORKER = fileURLToPath(new URL("./namespace-worker.ts", import.meta.url));
const NAMESPACE = ["--pid", "--fork", "--kill-child", "--mount-proc"];
/** As root, else with a user namespace of one's own. */
const flags = [NAMESPACE, ["--user", "--map-root-user", ...NAMESPACE]].find(
  (each) => spawnSync("unshare", [...each, "true"]).status === 0,
);
const places = usePlaces();
const children: ChildProcess[] = [];
afterEach(() => {
  for (const child of children.splice(0)) child.kill("SIGKILL");
});

function start(args: readonly string[]): ChildProcess {
  const command = [...(flags ?? []), process.execPath, "--no-warnings", WORKER, ...args];
  const child = spawn("unshare", command, { stdio: ["pipe", "inherit", "inherit"] });
  children.push(child);
  return child;
}

async function until(isTrue: () => boolean): Promise<void> {
  while (!isTrue()) await new Promise((resolve) => setTimeout(resolve, 50));
}

if (flags === undefined) {
  test("without the right to make pid namespaces, sharing a store between them cannot be tried here", () => {
    console.log("namespaces: NOT TRIED, unshare --pid is not allowed here");
    expect(process.getuid?.()).not.toBe(0);
  });
} else {
  test(
    "a holder in another pid namespace is never judged dead while it lives, and quarantined, not replaced, when it is gone",
    async () => {
      const place = places.make();
      const [file, held, wanted] = ["store.db", "held", "wanted"].map((name) => path.join(place, name)) as [
        string,
        string,
        string,
      ];
      const holder = start([file, "hold", held]);
      await until(() => fs.existsSync(held));
      const store = await openSqliteStore({ file, clock: systemClock() });
      const look = <T>(read: (view: StoreView) => T): T => store.view(read);
      const status = (name: string) => look((view) => view.task(name, "task"));
      const wanting = start([file, "want", wanted]);
      await until(() => status("want")?.status === "waiting");
      // Longer than a lease: whoever looked only once, or at the wrong thing, would judge it gone by now.
      const looks = { alive: 0 };
      const endMs = performance.now() + LEASE.timeToLiveMs * 1.5;
      await until(() => {
        expect(status("hold")).toMatchObject({ status: "running", quarantined: false });
        looks.alive++;
        return performance.now() > endMs;
      });
      // unshare stays outside: its child is the namespace's first process, and dies with it.
      holder.kill("SIGKILL");
      await once(holder, "exit");
      await until(() => status("hold")?.quarantined === true);
      await until(() => performance.now() > endMs + LEASE.timeToLiveMs * 1.5);
      expect(status("hold")).toMatchObject({ status: "ending", quarantined: true });
      expect(status("want")).toMatchObject({ status: "waiting" });
      expect(fs.existsSync(wanted)).toBe(false);
      // A person knows better: then it goes on.
      await store.turn([{ type: "unlock", key: status("hold")?.key ?? 0 }]);
      await until(() => fs.existsSync(wanted));
      expect(Number(fs.readFileSync(wanted, "utf8"))).toBeGreaterThan(Number(fs.readFileSync(held, "utf8")));
      places.note("pid namespaces", { seed: 0, counts: { looksAtLivingHolder: looks.alive, quarantined: 1 } });
      wanting.stdin?.end();
      await once(wanting, "exit");
      await store.close();
    },
    LIMIT_MS,
  );
}
