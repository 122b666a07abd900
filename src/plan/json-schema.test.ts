import fs from "node:fs";
import { expect, test } from "vitest";
import { planJsonSchema } from "./json-schema.ts";

const FILE = new URL("../../schema/plan.schema.json", import.meta.url);

test("the shipped schema is current (else: node scripts/dev.mjs node -- scripts/schema.mjs)", () => {
  expect(fs.readFileSync(FILE, "utf8")).toBe(planJsonSchema());
});

test("the schema is an object at its root and asks for tasks only", () => {
  const schema = JSON.parse(planJsonSchema());
  expect(schema).toMatchObject({
    $schema: "http://json-schema.org/draft-07/schema#",
    title: "Lockyard plan",
    type: "object",
    required: ["tasks"],
    additionalProperties: false,
  });
});

test("every key of plans, tasks and agents says what it is for", () => {
  const schema = JSON.parse(planJsonSchema());
  const silent: string[] = [];
  const look = (properties: Readonly<Record<string, { readonly description?: string }>>, where: string) => {
    for (const [name, { description }] of Object.entries(properties)) if (!description) silent.push(`${where}.${name}`);
  };
  look(schema.properties, "plan");
  look(schema.properties.tasks.additionalProperties.properties, "task");
  for (const kind of schema.properties.agents.additionalProperties.oneOf) look(kind.properties, "agent");
  expect(silent).toEqual([]);
});
