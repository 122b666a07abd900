/** Pools as the edge sees them: the kernel gives out members by name and knows nothing of ports and directories. */
import type { Awaitable } from "./ports.ts";

/** A member that a task may use. */
export interface PoolMember {
  readonly member: string;
  /** Of the grant that holds it. */
  readonly fence: number;
  /** False when an ancestor holds it (L11): then it is the ancestor's to make and to remove. */
  readonly isOwn: boolean;
}

export interface Pool {
  readonly name: string;
  /** The variable that tells a task which members it got; undefined for none. */
  readonly variable: string | undefined;
  /** Of these members, those that something else on the machine uses. */
  taken(members: readonly string[]): Promise<readonly string[]>;
  /**
   * Makes members ready and returns what a task is told of each, in order. `heldFences` asks for the fences of all grants
   * that hold members of this pool now: what was made under any other is left over.
   */
  open(members: readonly PoolMember[], heldFences: () => Awaitable<ReadonlySet<number>>): Promise<readonly string[]>;
  /** Removes what `open` made. */
  close(members: readonly PoolMember[]): Promise<void>;
}
