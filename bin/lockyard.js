#!/usr/bin/env node
// Only a guard. It imports nothing an old Node lacks, so that an old Node gets a sentence instead of a stack trace.
import module from "node:module";

const [major, minor] = process.versions.node.split(".").map(Number);

if (major < 20 || (major === 20 && minor < 19)) {
  process.stderr.write(
    `lockyard: Node ${process.versions.node} is too old; lockyard needs 20.19 or newer (22.23, 24.15 or 26 for every feature).\n`,
  );
  process.exitCode = 1;
} else {
  // Saves a third of the start-up from the second run on; exists since 22.8.
  if (module.enableCompileCache !== undefined) module.enableCompileCache();
  await import("../dist/js/main.js");
}
