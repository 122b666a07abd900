/** Serving over HTTP: see basics.ts. */
export { newSecret } from "../clock/secret.ts";
