/**
 * Pools at the edge: ports are tried before they are used, scratch directories are made and removed.
 *
 *  D1 a directory is made for one grant and bears its fence, so that nobody ever meets what another left behind
 *  D2 a directory whose fence no grant holds is left over from a process that died, and may be removed by anybody: its
 *     fence will never be given again (L6), and it is made only while its grant holds
 */
import { chmod, mkdir, readdir, rm } from "node:fs/promises";
import { createServer } from "node:net";
import { join } from "node:path";
import type { DeclaredResource } from "../core/declared.ts";
import { errorCode, LockyardError } from "../core/errors.ts";
import { shortHash } from "../core/names.ts";
import type { Pool, PoolMember } from "../core/pool.ts";

/** Ports a program may listen on without being root. Whole numbers in a pool that are all of this kind are ports. */
const FIRST_PORT = 1_024;
const LAST_PORT = 65_535;

export interface PoolPlace {
  /** Absolute directory of this user's own, below which scratch directories are made. */
  readonly stateDirectory: string;
  /** What tells this table of locks from others of the user: fences are drawn from it. */
  readonly store: string;
}

/** Keepers of the declared pools, by node. */
export function poolsOf(declared: Iterable<DeclaredResource>, place: PoolPlace): ReadonlyMap<string, Pool> {
  const pools = new Map<string, Pool>();
  for (const resource of declared) {
    if (resource.kind !== "pool") continue;
    const { name, env: variable, node } = resource;
    if (resource.isDirectories === true) {
      const directory = join(place.stateDirectory, "scratch", shortHash(place.store), shortHash(node));
      pools.set(node, new ScratchPool(name, variable, directory));
    } else pools.set(node, new PlainPool(name, variable, arePorts(resource.members ?? [])));
  }
  return pools;
}

function arePorts(members: readonly string[]): boolean {
  return members.every((member) => {
    const port = /^\d{4,5}$/.test(member) ? Number(member) : 0;
    return port >= FIRST_PORT && port <= LAST_PORT;
  });
}

class PlainPool implements Pool {
  readonly name: string;
  readonly variable: string | undefined;
  readonly #arePorts: boolean;

  constructor(name: string, variable: string | undefined, arePorts: boolean) {
    this.name = name;
    this.variable = variable;
    this.#arePorts = arePorts;
  }

  async taken(members: readonly string[]): Promise<readonly string[]> {
    const taken: string[] = [];
    if (this.#arePorts) for (const member of members) if (await isListenedOn(Number(member))) taken.push(member);
    return taken;
  }

  async open(members: readonly PoolMember[]): Promise<readonly string[]> {
    return members.map(({ member }) => member);
  }

  async close(): Promise<void> {}
}

/** Any address of both families, and the loopback one, which somebody may hold alone. */
const ADDRESSES = ["::", "0.0.0.0", "127.0.0.1"] as const;

/** Whether somebody listens on a port of this machine. What cannot be tried (no IPv6, not allowed) says nothing. */
export async function isListenedOn(port: number): Promise<boolean> {
  for (const address of ADDRESSES) if (await isAddressTaken(port, address)) return true;
  return false;
}

function isAddressTaken(port: number, host: string): Promise<boolean> {
  return new Promise((resolve) => {
    const server = createServer();
    server.once("error", (error) => resolve(errorCode(error) === "EADDRINUSE"));
    server.listen({ port, host, exclusive: true }, () => server.close(() => resolve(false)));
  });
}

class ScratchPool implements Pool {
  readonly name: string;
  readonly variable: string | undefined;
  readonly #directory: string;

  constructor(name: string, variable: string | undefined, directory: string) {
    this.name = name;
    this.variable = variable;
    this.#directory = directory;
  }

  async taken(): Promise<readonly string[]> {
    return [];
  }

  async open(
    members: readonly PoolMember[],
    heldFences: () => ReadonlySet<number> | Promise<ReadonlySet<number>>,
  ): Promise<readonly string[]> {
    try {
      await mkdir(this.#directory, { recursive: true, mode: 0o700 });
      await this.#removeLeftOver(heldFences);
      for (const member of members) if (member.isOwn) await mkdir(this.#place(member), { mode: 0o700 });
    } catch (cause) {
      const why = errorCode(cause) ?? String(cause);
      throw new LockyardError("SPAWN_FAILED", `A directory of ${this.name} could not be made: ${why}.`, {
        hint: `Is there room, and may this user write to ${this.#directory}?`,
        cause,
      });
    }
    return members.map((member) => this.#place(member));
  }

  async close(members: readonly PoolMember[]): Promise<void> {
    for (const member of members) if (member.isOwn) await remove(this.#place(member));
  }

  #place({ member, fence }: PoolMember): string {
    return join(this.#directory, `${member}-${fence}`);
  }

  /** D2. What is there is listed before it is asked who holds: a grant that is made meanwhile is not on the list. */
  async #removeLeftOver(heldFences: () => ReadonlySet<number> | Promise<ReadonlySet<number>>): Promise<void> {
    const names = await readdir(this.#directory);
    if (names.length === 0) return;
    const held = await heldFences();
    for (const name of names) {
      const fence = /-(\d+)$/.exec(name)?.[1];
      if (fence === undefined || held.has(Number(fence))) continue;
      // What another user owns stays: it is nobody's way, and no reason not to start.
      await remove(join(this.#directory, name)).catch(() => undefined);
    }
  }
}

async function remove(directory: string): Promise<void> {
  try {
    await rm(directory, { recursive: true, force: true });
  } catch (error) {
    // Some tools leave directories that may not be written (Go's modules): they are this user's own, so that can be put right.
    if (errorCode(error) !== "EACCES" && errorCode(error) !== "EPERM") throw error;
    await loosen(directory);
    await rm(directory, { recursive: true, force: true });
  }
}

async function loosen(directory: string): Promise<void> {
  await chmod(directory, 0o700);
  for (const entry of await readdir(directory, { withFileTypes: true }))
    if (entry.isDirectory()) await loosen(join(directory, entry.name));
}
