/**
 * In place of what the protocol's SDK brings for platforms, when it is bundled: a JSON Schema validator of 200 KB is part of
 * it, and only answers of people to a server's questions would ever be checked with it. We ask none.
 */
import process from "node:process";

export { process };

export class DefaultJsonSchemaValidator {
  getValidator(): never {
    throw new Error("no JSON Schema is checked by the bundled SDK");
  }
}
