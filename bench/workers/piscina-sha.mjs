// piscina calls the default export of a module; the house has none of its own.
import { sha } from "./sha-worker.ts";

export default sha;
