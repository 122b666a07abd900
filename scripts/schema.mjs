// Writes schema/plan.schema.json from the grammar of plans: `npm run` has no entry for it, because the unit tests fail
// with this command when the file is not current: node scripts/dev.mjs node -- scripts/schema.mjs
import fs from "node:fs";
import path from "node:path";
import { fileURLToPath } from "node:url";
import { planJsonSchema } from "../src/plan/json-schema.ts";

const file = path.join(path.dirname(fileURLToPath(import.meta.url)), "..", "schema", "plan.schema.json");
fs.mkdirSync(path.dirname(file), { recursive: true });
fs.writeFileSync(file, planJsonSchema());
console.log(`wrote ${path.relative(process.cwd(), file)}`);
