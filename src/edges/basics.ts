/**
 * What edges (command line, hooks, servers) need of the inside, name by name. Several small lists instead of one: a bundler
 * loads all files behind a list with its first name, and a command must start without what other commands need. The
 * library loads none of them.
 *
 * Here: what nearly every command needs.
 */
export { IsoTimes } from "../clock/iso-times.ts";
export { systemClock } from "../clock/system-clock.ts";
export { BOUNDS, DEFAULTS, LEASE } from "../core/bounds.ts";
export { claimNames } from "../core/claim-names.ts";
export { errorCode, type Fault, LockyardError } from "../core/errors.ts";
export { suggest } from "../core/suggest.ts";
export { neutralise } from "../process/neutralise.ts";
export { stateDirectory } from "../resources/state-directory.ts";
