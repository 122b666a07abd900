/** The grammar as JSON Schema draft 7, which is what editors read. Written to schema/plan.schema.json by scripts/schema.mjs. */
import * as z from "zod";
import { planSchema } from "./schema.ts";

/** The text of schema/plan.schema.json. */
export function planJsonSchema(): string {
  // `title`, never `id`: an id on the root would turn the whole schema into a reference to itself.
  const titled = planSchema.meta({
    title: "Lockyard plan",
    description: "A set of tasks that run at once, each as soon as everything it declares is free.",
  });
  return `${JSON.stringify(z.toJSONSchema(titled, { target: "draft-7", io: "input" }), null, 2)}\n`;
}
