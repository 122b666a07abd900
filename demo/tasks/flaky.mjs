// Fails at its first attempt on purpose, to show a retry.
import { finish, readInput } from "./task.mjs";

const { attempt } = readInput();
if (attempt === 1) {
  console.error("the first attempt fails on purpose");
  process.exitCode = 75;
} else finish({ attempt, says: `worked at attempt ${attempt}` });
