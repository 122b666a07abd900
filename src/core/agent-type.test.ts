import { expect, test } from "vitest";
import { agentType } from "./agent-type.ts";

test.each([
  ["backend_specialist_1", "backend_specialist"],
  ["backend_specialist", "backend_specialist"],
  ["gpt4", "gpt4"],
  ["a_b_12", "a_b"],
  ["_7", "_7"],
  ["42", "42"],
  ["", ""],
])("the type of %j is %j", (id, type) => {
  expect(agentType(id)).toBe(type);
});
