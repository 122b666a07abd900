/** The entry of the command line. What hosts start at every event, and `--version`, are answered without loading the rest. */
import { version } from "./version.ts";

const args = process.argv.slice(2);

if (args.length === 1 && (args[0] === "--version" || args[0] === "-V")) {
  process.stdout.write(`${version()}\n`);
} else if (args[0] === "hook") {
  const { runHook } = await import("../hooks/entry.ts");
  const { env, stdin } = process;
  let answer = "";
  const write = (text: string) => {
    answer += text;
  };
  await runHook({ args: args.slice(1), env, cwd: process.cwd(), input: stdin, write });
  // What was given up on may still wait: the host does not.
  process.stdout.write(answer, () => process.exit(0));
} else {
  const { runCli } = await import("./program.ts");
  process.exitCode = await runCli(args);
}
