/** Which store a command works on: what was asked for, else the user's own. */
import { resolve } from "node:path";

type Environment = Readonly<Record<string, string | undefined>>;

export type StoreChoice =
  | { readonly kind: "memory" /** Why, when nobody asked for it. */; readonly because: string | null }
  | { readonly kind: "sqlite" /** Absolute; undefined for the user's own. */; readonly file: string | undefined };

/** `--store`, else LOCKYARD_STORE, else the user's. LOCKYARD=off shares nothing with anybody. */
export function chooseStore(
  asked: string | undefined,
  { env, cwd }: { readonly env: Environment; readonly cwd: string },
): StoreChoice {
  if (isOff(env)) return { kind: "memory", because: "LOCKYARD=off" };
  const named = asked ?? env.LOCKYARD_STORE;
  if (named === undefined || named === "") return { kind: "sqlite", file: undefined };
  if (named === "memory") return { kind: "memory", because: null };
  return { kind: "sqlite", file: resolve(cwd, named.replace(/^sqlite:(?:\/\/)?/, "")) };
}

/** Whether this shell has Lockyard turned off. */
export function isOff(env: Environment): boolean {
  return ["off", "0", "false", "no"].includes(env.LOCKYARD?.toLowerCase() ?? "");
}
