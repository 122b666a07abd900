// Whether JavaScript and Python files parse: a line for each that does not, then how many were looked at.
import { spawnSync } from "node:child_process";

const PYTHON = "import ast, sys; ast.parse(open(sys.argv[1], encoding='utf-8').read(), sys.argv[1])";
const files = process.argv.slice(2);
const bad = files.filter((file) => {
  const [program, ...args] = file.endsWith(".py")
    ? ["python3", "-c", PYTHON, file]
    : [process.execPath, "--check", file];
  const { error, status } = spawnSync(program, args, { stdio: "ignore" });
  // No Python here says nothing about the file.
  return error === undefined && status !== 0;
});
for (const file of bad) console.log(`${file} does not parse`);
console.log(`${files.length} files looked at`);
process.exitCode = bad.length === 0 ? 0 : 1;
