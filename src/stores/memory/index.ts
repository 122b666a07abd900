export { memoryStore, openMemoryStore } from "./memory-store.ts";
