import { expect, test } from "vitest";
import { budgetText } from "./budget-text.ts";

const text = (spent: string) =>
  budgetText(`Paused: ${spent}, nothing was stopped. Continue with configure({ limits: … }), or cancel what waits.`, {
    done: 41,
    total: 60,
    workflowId: "nightly",
  });

test("a budget that is used up says how far it came, how to go on and how to stop", () => {
  expect(text("$20.00 of $20.00 spent")).toBe(
    "Paused: $20.00 of $20.00 spent, 41 of 60 tasks done, nothing killed. Continue: lockyard resume nightly --usd 40. Stop: lockyard cancel nightly",
  );
  expect(text("1,000 of 1,000 tokens used")).toContain("Continue: lockyard resume nightly --tokens 2000.");
  expect(text("30 of 30 tasks started")).toContain("Continue: lockyard resume nightly --tasks 60.");
  expect(text("60,000 ms of 60,000 ms passed")).toContain("Continue: lockyard resume nightly --wall 120s.");
});
