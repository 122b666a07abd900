// Files that a task locks in its middle, and what results say of them.
import { afterEach, expect, test } from "vitest";
import { type GitRepository, gitRepository, layerOver, put, task } from "../support/git-repository.ts";

let repository: GitRepository | undefined;
afterEach(() => repository?.remove());

test("what a task locks in its middle and writes is its own, and others who see it change are told who it was", async () => {
  repository = gitRepository({ "a.txt": "first\n" });
  const { root } = repository;
  const [isWatched, watch] = signal();
  const [isWritten, written] = signal();
  const { layer } = layerOver(
    repository,
    {
      writer: async (place, _, ctx) => {
        await isWatched;
        await ctx.lock([{ write: `${root}/a.txt` }]);
        put(place, "a.txt", "second\n");
        put(place, "b.txt", "not locked\n");
        written();
      },
      watcher: async () => {
        watch();
        await isWritten;
      },
    },
    { isolation: "optimistic" },
  );
  const [writer, watcher] = await layer.executeMultipleTaskCalls([task("writer"), task("watcher")]);
  await layer.close();
  expect([writer?.errorMessage, watcher?.errorMessage]).toEqual([null, null]);
  expect(writer?.touched).toEqual(["b.txt"]);
  expect(watcher?.touched).toEqual(["a.txt (by writer)", "b.txt"]);
});

function signal(): readonly [Promise<void>, () => void] {
  let give: () => void = () => undefined;
  const given = new Promise<void>((resolve) => {
    give = resolve;
  });
  return [given, () => give()];
}
