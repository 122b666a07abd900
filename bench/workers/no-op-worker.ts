/** Nothing, in a thread: what is left is the way there and back. */
import { isMainThread, parentPort, workerData } from "node:worker_threads";

/** As a thread agent. */
export function run(): number {
  return 1;
}

// As a bare worker: an id in, the id out.
if (!isMainThread && (workerData as { readonly isBare?: boolean } | null)?.isBare === true) {
  const port = parentPort;
  port?.on("message", (id: number) => port.postMessage(id));
}
