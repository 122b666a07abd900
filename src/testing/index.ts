/** For tests of programs that use Lockyard, and of ports they replace: `lockyard/testing`. */
export { seededRandom, type VirtualClock, virtualClock } from "../clock/virtual-clock.ts";
export { kernelFaults, type World } from "./kernel-check.ts";
export { type LedgerContractOptions, ledgerContract, type OpenLedger } from "./ledger-contract.ts";
export { type EquivalenceOptions, ledgerEquivalence } from "./ledger-equivalence.ts";
export { type OpenStore, type Participant, type StoreContractOptions, storeContract } from "./store-contract.ts";
export type { TestKit } from "./test-kit.ts";
