/** What a task in place touched, told apart from what others did: real git, real engine. */
import { mkdirSync, rmSync, writeFileSync } from "node:fs";
import path from "node:path";
import { afterEach, expect, test } from "vitest";
import { type GitRepository, gitRepository, layerOver, put, task } from "../support/git-repository.ts";

const repositories: GitRepository[] = [];
afterEach(() => {
  for (const repository of repositories.splice(0)) repository.remove();
});

function repository(files: Readonly<Record<string, string>>): GitRepository {
  const made = gitRepository({ ".gitignore": "ignored/\n", ...files });
  repositories.push(made);
  return made;
}

test("files written, added, removed and committed are touched; those declared, ignored and changed before are not", async () => {
  const repo = repository({
    "a.txt": "1",
    "b.txt": "1",
    "c.txt": "1",
    "docs/d.md": "1",
    "e.txt": "1",
    "same.txt": "1",
  });
  repo.write("before.txt", "changed before");
  repo.write("e.txt", "changed before");
  repo.write("same.txt", "changed before");
  const { layer } = layerOver(repo, {
    a: (place) => {
      put(place, "a.txt", "2");
      rmSync(path.join(place, "b.txt"));
      put(place, "new/file with [brackets] and ü.txt", "new");
      put(place, "docs/d.md", "declared");
      put(place, "ignored/x", "ignored");
      put(place, "e.txt", "changed again");
      put(place, "c.txt", "2");
      repo.git("commit", "--quiet", "-m", "by the task", "c.txt", "same.txt");
    },
  });
  const result = await layer.executeTaskCall(task("a", { claims: [{ write: "docs" }] }));
  expect(result.status).toBe("succeeded");
  expect(result.touched).toEqual(["a.txt", "b.txt", "c.txt", "e.txt", "new/file with [brackets] and ü.txt"]);
  await layer.close();
});

test("what others hold is said to be theirs, and what tasks merged meanwhile is not told at all", async () => {
  const repo = repository({ "a.txt": "1", "docs/d.md": "1" });
  const { layer } = layerOver(repo, {
    writer: (place) => put(place, "docs/d.md", "by writer"),
    merger: (place) => put(place, "merged.txt", "by merger"),
    watcher: async (place) => {
      await layer.executeMultipleTaskCalls([task("writer", { claims: [{ write: "docs" }] }), task("merger")]);
      put(place, "a.txt", "2");
    },
  });
  const result = await layer.executeTaskCall(task("watcher", { claims: [{ write: "src" }] }));
  expect(repo.read("merged.txt")).toBe("by merger");
  expect(result.touched).toEqual(["a.txt", "docs/d.md (by writer)"]);
  await layer.close();
});

test("outside a repository the file system is looked at", async () => {
  const repo = repository({});
  const plain = path.join(path.dirname(repo.root), "plain");
  mkdirSync(plain);
  writeFileSync(path.join(plain, "a.txt"), "1");
  const { layer } = layerOver({ ...repo, root: plain }, { a: (place) => put(place, "a.txt", "two") });
  expect((await layer.executeTaskCall(task("a"))).touched).toEqual(["a.txt"]);
  await layer.close();
});
