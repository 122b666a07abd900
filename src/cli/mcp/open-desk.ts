/** The desk with all that stands behind it: loaded when a host first calls a tool. */
import type { Config } from "../../config/config.ts";
import { chooseStore } from "../../config/store-choice.ts";
import { readToken } from "../../edges/run.ts";
import type { Clock } from "../../index.ts";
import type { Desk } from "../../mcp/desk.ts";
import { runStore } from "../store/run-store.ts";
import type { CommonOptions, Surroundings } from "../surroundings.ts";
import { ServerDesk } from "./desk.ts";

export function openDesk(options: CommonOptions, { env, cwd, err }: Surroundings, clock: Clock): Desk {
  const choice = chooseStore(options.store, { env, cwd });
  const say = (line: string) => err.line(line);
  const storeFor = ({ store: kept }: Config) => runStore({ choice, kept, say });
  return new ServerDesk({ cwd, env, clock, storeFor, inside: readToken(env) });
}
