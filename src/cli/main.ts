/** The entry of the command line. `--version` is answered here: loading anything more would double its time. */
import { version } from "./version.ts";

const args = process.argv.slice(2);

if (args.length === 1 && (args[0] === "--version" || args[0] === "-V")) {
  process.stdout.write(`${version()}\n`);
} else {
  const { runCli } = await import("./program.ts");
  process.exitCode = await runCli(args);
}
