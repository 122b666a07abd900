/**
 * Between the grant and the start: what was granted is looked at and made ready.
 *
 *  G1 nothing of a task runs before its paths lead where they did when they were locked, and its pool members are free;
 *     otherwise it goes back in line, and that attempt never was
 *  G2 what is made for a task (directories) is gone when it ends, whatever happened
 *  G3 of a pool that an ancestor holds, a task gets the ancestor's members (L11)
 */
import { normaliseClaims, type ResolvedClaim, UNITS } from "../core/claims.ts";
import type { Pool, PoolMember } from "../core/pool.ts";
import type { Awaitable, StoreView } from "../core/ports.ts";
import type { TaskRow } from "../core/row.ts";
import type { Claim } from "../core/task.ts";
import type { ManagerParts } from "./parts.ts";

/** Why what was granted cannot be used as it is. */
export interface WrongGrant {
  /** Pool members that something else uses. */
  readonly taken: readonly { readonly node: string; readonly members: readonly string[] }[];
  /** What has to be claimed instead; null when that stays the same. */
  readonly claims: readonly ResolvedClaim[] | null;
}

/** Pools of one grant, ready for use. */
export interface OpenPools {
  /** `PORT=3000`, several with commas. */
  readonly env: Readonly<Record<string, string>>;
  /** What was got, by name of the pool. */
  readonly members: Readonly<Record<string, readonly string[]>>;
  close(): Promise<void>;
}

export interface GrantsHost {
  view<T>(read: (view: StoreView) => T): Awaitable<T>;
  readonly storeFacts: { readonly location: string } | null;
}

const NOTHING: readonly never[] = [];
/** Holders of one pool looked through for those of an ancestor, and for fences that are in use. */
const HOLDS_SEEN = 10_000;

export class Grants {
  readonly #parts: ManagerParts;
  readonly #host: GrantsHost;
  #pools: ReadonlyMap<string, Pool> | null = null;

  constructor(parts: ManagerParts, host: GrantsHost) {
    this.#parts = parts;
    this.#host = host;
  }

  /** What a row would have to claim by now, when its paths need locks it does not have; null when it has them all. */
  moved(row: Pick<TaskRow, "claims">, asked: readonly Claim[]): readonly ResolvedClaim[] | null {
    if (!hasPaths(row.claims)) return null;
    const paths = asked.filter((claim) => "write" in claim || "read" in claim);
    const now = this.#parts.recheckClaims(paths);
    const held = new Map(row.claims.map(({ node, mode }) => [node, mode]));
    // What is locked and no longer needed does no harm.
    if (now.every(({ node, mode }) => (held.get(node) ?? 0) >= mode)) return null;
    return normaliseClaims([...row.claims.filter((claim) => !isPath(claim)), ...now]);
  }

  /** Pool members of a row that something else on the machine uses. */
  async taken(row: TaskRow): Promise<WrongGrant["taken"]> {
    const found: { node: string; members: readonly string[] }[] = [];
    for (const node of Object.keys(row.members ?? {})) {
      // What an ancestor holds is in use by the ancestor.
      const own = (await this.#membersOf(row, node)).filter(({ isOwn }) => isOwn);
      const taken = await this.#pool(node)?.taken(own.map(({ member }) => member));
      if (taken !== undefined && taken.length > 0) found.push({ node, members: taken });
    }
    return found;
  }

  /** Makes the pools of a row ready. */
  async open(row: TaskRow): Promise<OpenPools> {
    const env: Record<string, string> = {};
    const told: Record<string, readonly string[]> = {};
    const opened: { readonly pool: Pool; readonly members: readonly PoolMember[] }[] = [];
    const close = async () => {
      for (const { pool, members } of opened.splice(0)) await pool.close(members);
    };
    try {
      for (const { node, mode } of row.claims) {
        const pool = mode === UNITS ? this.#pool(node) : undefined;
        if (pool === undefined) continue;
        const members = await this.#membersOf(row, node);
        opened.push({ pool, members });
        const texts = await pool.open(members, () => this.#heldFences(node));
        told[pool.name] = texts;
        if (pool.variable !== undefined) env[pool.variable] = texts.join(",");
      }
    } catch (error) {
      await close();
      throw error;
    }
    return { env, members: told, close };
  }

  #pool(node: string): Pool | undefined {
    this.#pools ??= this.#parts.pools(this.#host.storeFacts?.location ?? "");
    return this.#pools.get(node);
  }

  /** Members a row uses. Those it leans on are held by somebody around it. */
  async #membersOf(row: TaskRow, node: string): Promise<readonly PoolMember[]> {
    const members = row.members?.[node] ?? NOTHING;
    if (row.ancestors.length === 0) return members.map((member) => ({ member, fence: row.fence, isOwn: true }));
    const holds = await this.#host.view((view) => view.holds({ node, limit: HOLDS_SEEN }));
    const own = holds.find((hold) => hold.row.key === row.key)?.members ?? NOTHING;
    return members.map((member) => {
      const around = holds.find((hold) => hold.row.key !== row.key && hold.members.includes(member));
      const isOwn = own.includes(member) || around === undefined;
      return { member, fence: isOwn ? row.fence : around.row.fence, isOwn };
    });
  }

  async #heldFences(node: string): Promise<ReadonlySet<number>> {
    const holds = await this.#host.view((view) => view.holds({ node, limit: HOLDS_SEEN }));
    return new Set(holds.map(({ row }) => row.fence));
  }
}

function isPath({ node }: ResolvedClaim): boolean {
  return node.charCodeAt(0) === 102; // f
}

export function hasPaths(claims: readonly ResolvedClaim[]): boolean {
  for (const claim of claims) if (isPath(claim)) return true;
  return false;
}

/** Whether a row has units of a pool: its own, or an ancestor's. */
export function usesPool(claims: readonly ResolvedClaim[]): boolean {
  for (const { node } of claims) if (node.charCodeAt(0) === 112 /* p */) return true;
  return false;
}
