/** All migrations in order. `user_version` of a file is how many of them it has had. */
import { SQL as M0001 } from "./0001.ts";
import { SQL as M0002 } from "./0002.ts";
import { SQL as M0003 } from "./0003.ts";
import { SQL as M0004 } from "./0004.ts";
import { SQL as M0005 } from "./0005.ts";
import { SQL as M0006 } from "./0006.ts";

export interface Migration {
  readonly sql: string;
  /**
   * Only for one that changes the meaning of what is stored: the format a program must know to write here afterwards, and
   * the first release that does. It waits until no process of an older format works on the store.
   */
  readonly raises?: { readonly minWriter: number; readonly release: string };
}

export const MIGRATIONS: readonly Migration[] = [
  { sql: M0001 },
  { sql: M0002 },
  { sql: M0003 },
  { sql: M0004 },
  { sql: M0005 },
  { sql: M0006 },
];
