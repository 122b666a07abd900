/** All migrations in order. `user_version` of a file is how many of them it has had. */
import { SQL as M0001 } from "./0001.ts";

export const MIGRATIONS: readonly string[] = [M0001];
