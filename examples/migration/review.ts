// What both versions call: your own code, which stays as it is. The first try at c.ts fails, as such calls do.
import { setTimeout as sleep } from "node:timers/promises";

export const files = ["a.ts", "b.ts", "c.ts", "d.ts", "e.ts"];

let tries = 0;
export async function review(file: string): Promise<string> {
  await sleep(10);
  if (file === "c.ts" && ++tries === 1) throw new Error("the model is busy");
  return `${file} is fine`;
}
