// `npm run check`: what everybody runs before every commit, in under a minute.

import { runSteps } from "./steps.mjs";
import { quickSteps } from "./suites.mjs";

await runSteps(quickSteps());
