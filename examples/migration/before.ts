// The sequential loop many projects start with: one after another, a failure ends the run, nothing is retried.
import { files, review } from "./review.ts";

const reviews: string[] = [];
for (const file of files) {
  try {
    reviews.push(await review(file));
  } catch (error) {
    console.log(`stopped at ${file}: ${(error as Error).message}`);
    break;
  }
}
console.log(`${reviews.length} of ${files.length} reviewed`);

// Prints:
//   stopped at c.ts: the model is busy
//   2 of 5 reviewed
