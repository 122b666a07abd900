/** The other side of member.ts. */
import { type ChildProcess, fork, spawn } from "node:child_process";
import { fileURLToPath } from "node:url";
import type { FromMember, ToMember } from "./member.ts";

const SCRIPT = fileURLToPath(new URL("./member.ts", import.meta.url));

export interface MemberOptions {
  readonly file: string;
  readonly script?: string;
  /** Of the user it runs as; we must be root. */
  readonly uid?: number;
  /** In a pid namespace of its own, with a /proc of that. */
  readonly isApart?: boolean;
}

export class Member {
  readonly child: ChildProcess;
  readonly #heard: FromMember[] = [];
  #onMessage: () => void = () => undefined;

  constructor({ file, script = "true", uid, isApart = false }: MemberOptions) {
    const stdio = ["ignore", "inherit", "inherit", "ipc"] as const;
    const user = uid === undefined ? {} : { uid, gid: uid };
    this.child = isApart
      ? spawn("unshare", [...APART, process.execPath, SCRIPT, file, script], { stdio: [...stdio] })
      : fork(SCRIPT, [file, script], { execArgv: ["--no-warnings"], stdio: [...stdio], ...user });
    this.child.on("message", (message) => {
      this.#heard.push(message as FromMember); // what member.ts sends
      this.#onMessage();
    });
    this.child.on("exit", () => this.#onMessage());
  }

  tell(message: ToMember): void {
    this.child.send(message);
  }

  get hasEnded(): boolean {
    return this.child.exitCode !== null || this.child.signalCode !== null;
  }

  /** Whether it has said so, and not been asked about it. */
  hasSaid(type: FromMember["type"]): boolean {
    return this.#heard.some((message) => message.type === type);
  }

  /** The next message of this type. */
  async hears(type: FromMember["type"]): Promise<FromMember> {
    for (;;) {
      const at = this.#heard.findIndex((message) => message.type === type);
      const [found] = at < 0 ? [] : this.#heard.splice(at, 1);
      if (found !== undefined) return found;
      if (this.hasEnded) throw new Error(`the member ended without saying "${type}"`);
      await new Promise<void>((resolve) => {
        this.#onMessage = resolve;
      });
    }
  }

  /** Asks what the store says, again and again, until it is so. */
  async sees(isSo: (seen: FromMember) => boolean): Promise<void> {
    for (let seen: FromMember | undefined; seen === undefined || !isSo(seen); seen = await this.hears("seen"))
      this.tell("look");
  }

  async kill(): Promise<void> {
    if (this.hasEnded) return;
    const ended = new Promise((resolve) => this.child.once("exit", resolve));
    this.child.kill("SIGKILL");
    await ended;
  }
}

const APART = ["--pid", "--fork", "--mount-proc", "--kill-child"] as const;
