/** The CPU-bound work, in a thread: for Lockyard, piscina and a bare Worker alike. Loaded as a module by each of them. */
import { createHash } from "node:crypto";
import { isMainThread, parentPort, workerData } from "node:worker_threads";

/** Hashes a hash, `rounds` times. */
export function sha(rounds: number): number {
  let hash: Buffer = Buffer.alloc(32);
  for (let round = 0; round < rounds; round++) hash = createHash("sha256").update(hash).digest();
  return hash[0] ?? 0;
}

/** As a thread agent. */
export function run(task: { readonly contextData?: { readonly rounds?: number } }): number {
  return sha(task.contextData?.rounds ?? 0);
}

// As a bare worker: one message in, one message out.
if (!isMainThread && (workerData as { readonly isBare?: boolean } | null)?.isBare === true) {
  const port = parentPort;
  port?.on("message", (rounds: number) => port.postMessage(sha(rounds)));
}
