/** Sessions of AI hosts and what they saw: see basics.ts. */
export { NO_FILE } from "../core/session-book.ts";
