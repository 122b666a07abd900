/** Tasks in worktrees of their own, on real git: made, merged, asked about, kept, taken away. */
import { execFile } from "node:child_process";
import { existsSync, mkdirSync, readdirSync, symlinkSync, writeFileSync } from "node:fs";
import path from "node:path";
import { promisify } from "node:util";
import { afterEach, describe, expect, test } from "vitest";
import { type GitRepository, gitRepository, layerOver, put, task, type Work } from "../support/git-repository.ts";

const repositories: GitRepository[] = [];
afterEach(() => {
  for (const repository of repositories.splice(0)) repository.remove();
});

function repository(files?: Readonly<Record<string, string>>): GitRepository {
  const made = gitRepository(files);
  repositories.push(made);
  return made;
}

/** Worktrees beside the user's own, and branches beside main. */
function left({ git }: GitRepository): readonly string[] {
  const worktrees = git("worktree", "list", "--porcelain").match(/^worktree .+$/gm) ?? [];
  const branches = git("branch", "--format=%(refname:short)").split("\n");
  return [...worktrees.slice(1), ...branches.filter((name) => name !== "main")];
}

const writes =
  (file: string, text: string): Work =>
  (place) =>
    put(place, file, text);

describe("a task in a worktree", () => {
  test("works outside the user's tree, is merged, and leaves nothing behind", async () => {
    const repo = repository();
    const { layer, warnings } = layerOver(repo, {
      a: (place) => {
        put(place, "src/a.ts", "a\n");
        return place;
      },
    });
    const result = await layer.executeTaskCall(task("a"));
    expect(result).toMatchObject({ status: "succeeded", touched: ["src/a.ts"] });
    expect(result.output).toMatch(/worktrees\/\w+\/night\/a$/);
    expect(result.evidence.at(-1)).toMatch(/^Merged into main as [0-9a-f]{12}: 1 file\.$/);
    expect(repo.read("src/a.ts")).toBe("a\n");
    expect(repo.git("status", "--porcelain")).toBe("");
    expect(repo.git("log", "-1", "--format=%B")).toContain("Lockyard-Task: night/a");
    expect(left(repo)).toEqual([]);
    expect(warnings).toEqual([]);
    await layer.close();
  });

  test("works at its place below the top, with what it committed itself, and says what it had not declared", async () => {
    const repo = repository({ "packages/api/index.ts": "1\n" });
    const { layer } = layerOver(
      repo,
      {
        a: (place) => {
          put(place, "index.ts", "2\n");
          put(place, "extra.ts", "3\n");
          return place;
        },
      },
      { cwdFor: () => "packages/api", isolation: "worktree" },
    );
    const result = await layer.executeTaskCall(task("a", { claims: [{ write: "packages/api/index.ts" }] }));
    expect(result.output).toMatch(/\/a\/packages\/api$/);
    expect(result.touched).toEqual(["packages/api/extra.ts"]);
    expect(repo.read("packages/api/index.ts")).toBe("2\n");
    await layer.close();
  });

  test("reached through a link declares the same files", async () => {
    const repo = repository({ "docs/a.md": "1\n" });
    const link = path.join(path.dirname(repo.root), "link");
    symlinkSync(repo.root, link);
    const work: Work = (place) => {
      put(place, "docs/a.md", "2\n");
      put(place, "b.md", "2\n");
    };
    const { layer } = layerOver({ ...repo, root: link }, { a: work }, { isolation: "worktree" });
    const result = await layer.executeTaskCall(task("a", { claims: [{ write: "docs/*.md" }] }));
    expect(result.touched).toEqual(["b.md"]);
    expect(repo.read("b.md")).toBe("2\n");
    await layer.close();
  });

  test("that changes nothing merges nothing", async () => {
    const repo = repository();
    const before = repo.git("rev-parse", "HEAD");
    const { layer } = layerOver(repo, {});
    const result = await layer.executeTaskCall(task("a"));
    expect(result.evidence).toEqual([]);
    expect(result.touched).toBeUndefined();
    expect(repo.git("rev-parse", "HEAD")).toBe(before);
    expect(left(repo)).toEqual([]);
    await layer.close();
  });

  test("sees what the tasks it depends on did", async () => {
    const repo = repository();
    const { layer } = layerOver(repo, {
      first: writes("made.txt", "by first\n"),
      second: (place) => (existsSync(path.join(place, "made.txt")) ? "seen" : "not seen"),
    });
    const results = await layer.executeMultipleTaskCalls([task("first"), task("second", { dependsOn: ["first"] })]);
    expect(results.map(({ output }) => output).at(-1)).toBe("seen");
    await layer.close();
  });

  test("20 at once are all merged", async () => {
    const repo = repository({ "shared.txt": Array.from({ length: 400 }, (_, line) => `${line}\n`).join("") });
    const ids = Array.from({ length: 20 }, (_, index) => `t${index}`);
    let atOnce = 0;
    let most = 0;
    let everybody: () => void = () => undefined;
    const all = new Promise<void>((resolve) => {
      everybody = resolve;
    });
    const work: Work = async (place, { taskId }) => {
      most = Math.max(most, ++atOnce);
      if (atOnce === ids.length) everybody();
      await all;
      const number = Number(taskId.slice(1));
      const lines = Array.from({ length: 400 }, (_, line) => (line === number * 20 ? `${taskId}\n` : `${line}\n`));
      writeFileSync(path.join(place, "shared.txt"), lines.join(""));
      put(place, `out/${taskId}.txt`, taskId);
      atOnce--;
    };
    const { layer } = layerOver(repo, Object.fromEntries(ids.map((id) => [id, work])));
    const results = await layer.executeMultipleTaskCalls(ids.map((id) => task(id)));
    expect(results.map(({ status, errorMessage }) => errorMessage ?? status)).toEqual(ids.map(() => "succeeded"));
    expect(most).toBe(20);
    expect(readdirSync(path.join(repo.root, "out"))).toHaveLength(20);
    for (const id of ids) expect(repo.read("shared.txt")).toContain(`\n${id}\n`.slice(id === "t0" ? 1 : 0));
    expect(repo.git("log", "--first-parent", "--format=%s").split("\n")).toHaveLength(21);
    expect(repo.git("status", "--porcelain")).toBe("");
    expect(left(repo)).toEqual([]);
    await layer.close();
  }, 60_000);

  test("whose id says more than a branch may be called is merged all the same", async () => {
    const repo = repository();
    const id = "docs[a b/../c~^:?*].lock";
    const { layer } = layerOver(repo, { [id]: writes("a", "a") });
    expect((await layer.executeTaskCall(task(id))).errorMessage).toBeNull();
    expect(left(repo)).toEqual([]);
    await layer.close();
  });

  test("merges behind whoever holds one of its files for writing", async () => {
    const repo = repository({ "src/a.ts": "1\n" });
    const git = (...args: readonly string[]) => promisify(execFile)("git", args, { cwd: repo.root });
    let hasBegun: () => void = () => undefined;
    const begun = new Promise<void>((resolve) => {
      hasBegun = resolve;
    });
    const { layer } = layerOver(repo, {
      holder: async () => {
        hasBegun();
        // From when its work is committed, the merge is a matter of a few calls of git.
        const work = ["log", "--format=%s", "main..lockyard/night/b"];
        while ((await git(...work).catch(() => ({ stdout: "" }))).stdout === "");
        for (let look = 0; look < 30; look++) await git("status");
        return repo.read("src/a.ts");
      },
      b: async (place) => {
        await begun;
        put(place, "src/a.ts", "2\n");
      },
    });
    const tasks = [task("holder", { claims: [{ write: "src" }] }), task("b")];
    const [holder, b] = await layer.executeMultipleTaskCalls(tasks);
    expect(holder?.output).toBe("1\n");
    expect(b?.status).toBe("succeeded");
    expect(repo.read("src/a.ts")).toBe("2\n");
    await layer.close();
  });
});

describe("what cannot be merged", () => {
  /** Two tasks that change the same line; the second is asked about. */
  async function conflict(repo: GitRepository, answer: (question: string) => Promise<string> | string) {
    const { layer, warnings } = layerOver(repo, {
      a: writes("README.md", "a\n"),
      b: async (place) => {
        await first;
        put(place, "README.md", "b\n");
      },
    });
    const questions: string[] = [];
    const answers = (async () => {
      for await (const event of layer.events()) {
        if (event.type !== "task-needs-input") continue;
        questions.push(event.question);
        layer.answer("b", await answer(event.question));
      }
    })();
    const first = layer.executeTaskCall(task("a"));
    const b = layer.executeTaskCall(task("b"));
    const results = await Promise.all([first, b]);
    await layer.close();
    await answers;
    return { result: results[1], questions, warnings };
  }

  const placeIn = (question: string) => /Resolve them in (\S+),/.exec(question)?.[1] ?? "";

  test("is asked about, with its files; resolved and retried it is merged", async () => {
    const repo = repository();
    const { result, questions } = await conflict(repo, (question) => {
      put(placeIn(question), "README.md", "a and b\n");
      return "retry";
    });
    expect(questions).toHaveLength(1);
    expect(questions[0]).toContain("lockyard/night/b could not be merged into main: conflicts in README.md.");
    expect(result).toMatchObject({ status: "succeeded" });
    expect(repo.read("README.md")).toBe("a and b\n");
    expect(left(repo)).toEqual([]);
  });

  test("is asked about again when nothing was resolved, or when the answer is none", async () => {
    const repo = repository();
    const given = ["retry", "whatever", "skip"];
    const { result, questions } = await conflict(repo, () => given.shift() ?? "skip");
    expect(questions).toHaveLength(3);
    expect(questions[2]).toMatch(/^Answer retry, skip or keep\./);
    expect(result).toMatchObject({ success: false, error: { code: "AGENT_REPORTED_FAILURE" } });
  });

  test("and is skipped keeps its branch", async () => {
    const repo = repository();
    const { result } = await conflict(repo, () => "skip");
    expect(result.errorMessage).toBe(
      "Its work is not merged into main: conflicts in README.md. It is on branch lockyard/night/b.",
    );
    expect(repo.read("README.md")).toBe("a\n");
    expect(left(repo)).toEqual(["lockyard/night/b"]);
    expect(repo.git("show", "lockyard/night/b:README.md")).toBe("b");
  });

  test("and is kept keeps its worktree, too", async () => {
    const repo = repository();
    const { result } = await conflict(repo, () => "keep");
    expect(result.errorMessage).toContain("its worktree is ");
    expect(left(repo)).toHaveLength(2);
    expect(repo.git("status", "--porcelain")).toBe("");
  });

  test("because another branch is checked out by now is asked about, and merged into no other", async () => {
    const repo = repository();
    const { layer } = layerOver(repo, {
      a: (place) => {
        put(place, "a.txt", "a\n");
        repo.git("checkout", "--quiet", "-b", "other");
      },
    });
    const running = layer.executeTaskCall(task("a"));
    for await (const event of layer.events()) {
      if (event.type !== "task-needs-input") continue;
      expect(event.question).toContain("has other checked out now");
      repo.git("checkout", "--quiet", "main");
      layer.answer("a", "retry");
      break;
    }
    expect((await running).status).toBe("succeeded");
    expect(repo.git("show", "main:a.txt")).toBe("a");
    expect(repo.git("log", "--format=%s", "other")).toBe("first");
    await layer.close();
  });

  test("and is cancelled while it asks stays as it is", async () => {
    const repo = repository();
    repo.write("README.md", "mine\n");
    const { layer, warnings } = layerOver(repo, { a: writes("README.md", "a\n") });
    const running = layer.executeTaskCall(task("a"));
    for await (const event of layer.events()) {
      if (event.type !== "task-needs-input") continue;
      await layer.cancelRunningTasks();
      break;
    }
    expect((await running).status).toBe("cancelled");
    expect(warnings.at(-1)).toMatch(/^What task a did is in .*, on branch lockyard\/night\/a; it is not merged\.$/);
    expect(repo.git("show", "lockyard/night/a:README.md")).toBe("a");
    expect(repo.read("README.md")).toBe("mine\n");
    await layer.close();
  });

  test("because of local changes leaves them alone", async () => {
    const repo = repository();
    repo.write("README.md", "mine\n");
    const { layer, warnings } = layerOver(repo, { a: writes("README.md", "a\n") });
    const running = layer.executeTaskCall(task("a"));
    for await (const event of layer.events()) {
      if (event.type !== "task-needs-input") continue;
      expect(event.question).toContain("local changes");
      expect(repo.read("README.md")).toBe("mine\n");
      repo.git("checkout", "--", "README.md");
      layer.answer("a", "retry");
      break;
    }
    expect(await running).toMatchObject({ status: "succeeded" });
    expect(repo.read("README.md")).toBe("a\n");
    expect(warnings).toEqual(["Worktrees begin at the last commit, without what is not committed: README.md."]);
    await layer.close();
  });
});

describe("what does not succeed", () => {
  test("is not merged and not lost, and the next attempt goes on with it", async () => {
    const repo = repository();
    let attempt = 0;
    const seen: boolean[] = [];
    const { layer, warnings } = layerOver(repo, {
      a: (place) => {
        seen.push(existsSync(path.join(place, "half.txt")));
        put(place, "half.txt", "half\n");
        if (++attempt === 1) throw Object.assign(new Error("broke"), { retryable: true });
      },
    });
    const result = await layer.executeTaskCall(task("a", { retry: { attempts: 2, baseMs: 1 } }));
    expect(result).toMatchObject({ status: "succeeded", attempts: 2 });
    expect(seen).toEqual([false, true]);
    expect(warnings[0]).toMatch(
      /^What task a did is in .*\/night\/a, on branch lockyard\/night\/a; it is not merged\.$/,
    );
    expect(repo.read("half.txt")).toBe("half\n");
    expect(left(repo)).toEqual([]);
    await layer.close();
  });

  test("and changed nothing leaves nothing", async () => {
    const repo = repository();
    const { layer, warnings } = layerOver(repo, {
      a: () => {
        throw new Error("broke");
      },
    });
    expect((await layer.executeTaskCall(task("a"))).status).toBe("failed");
    expect(left(repo)).toEqual([]);
    expect(warnings).toEqual([]);
    await layer.close();
  });

  test("because it was cancelled keeps what it had written", async () => {
    const repo = repository();
    const { layer } = layerOver(repo, {
      a: (place, _, ctx) => {
        put(place, "half.txt", "half\n");
        return new Promise((_resolve, reject) => {
          ctx.signal.addEventListener("abort", () => reject(ctx.signal.reason));
          void layer.cancelRunningTasks();
        });
      },
    });
    expect((await layer.executeTaskCall(task("a"))).status).toBe("cancelled");
    expect(left(repo)).toHaveLength(2);
    await layer.close();
  });
});

describe("where no worktree can be", () => {
  test("one that was asked for is refused, with what to do", async () => {
    const repo = repository();
    const plain = path.join(path.dirname(repo.root), "plain");
    mkdirSync(plain);
    const { layer } = layerOver({ ...repo, root: plain }, {}, { isolation: "worktree" });
    const result = await layer.executeTaskCall(task("a"));
    expect(result).toMatchObject({ success: false, error: { code: "INVALID_OPTION" } });
    expect(result.errorMessage).toContain("needs a git repository with a commit");
    await layer.close();
  });

  test("a repository inside a worktree is not merged, and stays", async () => {
    const repo = repository();
    const { layer, warnings } = layerOver(repo, {
      a: (place) => {
        put(place, "a.txt", "a\n");
        put(place, "inner/file.txt", "inner\n");
        repo.git("-C", path.join(place, "inner"), "init", "--quiet");
        repo.git("-C", path.join(place, "inner"), "add", "--all");
        repo.git("-C", path.join(place, "inner"), "commit", "--quiet", "-m", "inner");
      },
    });
    expect((await layer.executeTaskCall(task("a"))).status).toBe("succeeded");
    expect(repo.read("a.txt")).toBe("a\n");
    expect(warnings.join("\n")).toContain("Repositories inside the worktree are not merged: inner");
    expect(left(repo)).toHaveLength(2);
    await layer.close();
  });
});
