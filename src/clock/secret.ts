import { randomBytes } from "node:crypto";

/** 256 random bits that nobody guesses, as 43 characters for a header or a file. */
export function newSecret(): string {
  return randomBytes(32).toString("base64url");
}
