// `npm test`: the check and every suite, within 10 minutes. `--long` adds the suites only CI has time for.

import { runSteps } from "./steps.mjs";
import { allSteps, longSteps } from "./suites.mjs";

await runSteps([...allSteps(), ...(process.argv.includes("--long") ? longSteps() : [])]);
