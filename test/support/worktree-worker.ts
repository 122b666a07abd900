/** A process that dies in the middle of a task in a worktree. Arguments: repository, directory of worktrees, what to do. */
import { layerOver, put, task } from "./git-repository.ts";

const [root = "", worktrees = "", what = ""] = process.argv.slice(2);
const { layer } = layerOver(
  { root, worktrees },
  {
    a: (place) => {
      if (what === "write") put(place, "half.txt", "half\n");
      process.kill(process.pid, "SIGKILL");
    },
  },
);
await layer.executeTaskCall(task("a"));
