/** Writes a file for an agent that leaves that to us. */
import fs from "node:fs";
import path from "node:path";
import { INVALID_PARAMS, RpcError } from "./json-rpc.ts";
import { isBelow } from "./permission.ts";

/** Makes the directory too. With `within`, nothing that leads out of that directory, by links either, is written. */
export async function writeTextFile(place: string, content: string, within: string | undefined): Promise<void> {
  if (within !== undefined && !isBelow(await realPlace(place), await realPlace(within))) {
    throw new RpcError(INVALID_PARAMS, `${place} leads out of ${within}`);
  }
  try {
    await fs.promises.mkdir(path.dirname(place), { recursive: true });
    await fs.promises.writeFile(place, content);
  } catch (error) {
    throw new RpcError(INVALID_PARAMS, `${place} cannot be written: ${String((error as NodeJS.ErrnoException).code)}`); // fs gives errno errors
  }
}

/** Where it really is; what does not exist yet lies below what does. A link that leads nowhere yet counts as what it names. */
async function realPlace(place: string, links = 0): Promise<string> {
  try {
    return await fs.promises.realpath(place);
  } catch {
    const target = links < MAX_LINKS ? await fs.promises.readlink(place).catch(() => undefined) : undefined;
    if (target !== undefined) return realPlace(path.resolve(path.dirname(place), target), links + 1);
    const parent = path.dirname(place);
    return parent === place ? place : path.join(await realPlace(parent, links), path.basename(place));
  }
}

const MAX_LINKS = 40;
