/** A host as the protocol's own client is one: it starts `lockyard mcp` and talks to it over the pipe. */
import { readFileSync } from "node:fs";
import { Client } from "@modelcontextprotocol/client";
import { StdioClientTransport } from "@modelcontextprotocol/client/stdio";
import { afterAll } from "vitest";
import { type Directory, ENTRY } from "../cli/harness.ts";

/** Revisions a host may speak: those with a handshake, and those without. */
export const ERAS = ["legacy", "modern"] as const;
export type Era = (typeof ERAS)[number];

export interface CallOptions {
  readonly signal?: AbortSignal;
  readonly onProgress?: (progress: { readonly progress: number; readonly message?: string | undefined }) => void;
  /** As hosts name a call. */
  readonly callId?: string;
}

export interface Answered {
  readonly isError: boolean;
  readonly text: string;
  readonly data: Answer;
  /** Bytes on the wire, near enough. */
  readonly bytes: number;
}

/** What answers say, as far as tests read it. */
export interface Answer {
  readonly workflow?: string;
  readonly summary?: string;
  readonly tasks?: readonly {
    readonly id: string;
    readonly status: string;
    readonly output?: unknown;
    readonly error?: string;
    readonly cut?: string;
    readonly log?: string;
    readonly now?: string;
  }[];
  readonly file?: string;
  readonly hidden?: number;
  readonly next?: string;
  readonly error?: { readonly code: string; readonly message: string; readonly hint?: string };
  readonly [field: string]: unknown;
}

export interface Host {
  readonly client: Client;
  readonly pid: number;
  readonly stderr: () => string;
  call(tool: string, input: object, options?: CallOptions): Promise<Answered>;
  /** Closes the pipe, as a host that ends. */
  close(): Promise<void>;
}

/** How to start a host in a directory; all are gone when the tests of the file are over. */
export function useHosts(): (here: Directory, options?: HostOptions) => Promise<Host> {
  const hosts = new Set<Client>();
  afterAll(async () => {
    await Promise.all([...hosts].map((client) => client.close()));
  });
  return async (here, options = {}) => {
    const host = await startHost(here, options);
    hosts.add(host.client);
    return host;
  };
}

export interface HostOptions {
  readonly era?: Era;
  readonly args?: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
}

async function startHost(here: Directory, { era = "modern", args = [], env = {} }: HostOptions): Promise<Host> {
  const transport = new StdioClientTransport({
    command: process.execPath,
    args: [ENTRY, "mcp", ...args],
    env: { ...here.env, ...env },
    cwd: here.path,
    stderr: "pipe",
  });
  let stderr = "";
  transport.stderr?.on("data", (chunk) => {
    stderr += String(chunk);
  });
  const client = new Client(
    { name: "test-host", version: "1.0.0" },
    { versionNegotiation: { mode: era === "modern" ? { pin: "2026-07-28" } : "legacy" } },
  );
  await client.connect(transport);
  return {
    client,
    pid: transport.pid ?? 0,
    stderr: () => stderr,
    close: () => client.close(),
    call: async (name, input, { signal, onProgress, callId } = {}) => {
      const meta = callId === undefined ? {} : { _meta: { "claudecode/toolUseId": callId } };
      const result = await client.callTool(
        { name, arguments: { ...input }, ...meta },
        {
          timeout: 100_000,
          ...(signal === undefined ? {} : { signal }),
          ...(onProgress === undefined ? {} : { onprogress: onProgress }),
        },
      );
      const content = result.content as readonly { readonly text?: string }[];
      const data = (result.structuredContent ?? {}) as Answer; // every tool answers so
      const text = content.map((part) => part.text ?? "").join("\n");
      const bytes = Math.max(Buffer.byteLength(text), Buffer.byteLength(JSON.stringify(data)));
      return { isError: result.isError === true, text, data, bytes };
    },
  };
}

/** Agents of the user's own file: trusted. */
export function agents(here: Directory, entries: Readonly<Record<string, object>>, more: object = {}): void {
  here.write(".config/lockyard/config.yaml", JSON.stringify({ agents: entries, ...more }));
}

/** An agent that is a program: `body` sees `task`, `say(text)` and `until(file)`. */
export function script(
  here: Directory,
  name: string,
  body: string,
): { readonly kind: "command"; readonly run: string[] } {
  here.write(
    name,
    `const fs = require("node:fs");
const { task } = JSON.parse(fs.readFileSync(0, "utf8"));
const say = (text) => process.stdout.write(text);
const until = async (file) => { while (!fs.existsSync(file)) await new Promise((resolve) => setTimeout(resolve, 20)); };
(async () => { ${body} })();
`,
  );
  return { kind: "command", run: [process.execPath, `${here.path}/${name}`] };
}

/** Waits until a process is gone. */
export async function gone(pid: number): Promise<void> {
  while (lives(pid)) await new Promise((resolve) => setTimeout(resolve, 20));
}

export function lives(pid: number): boolean {
  try {
    return !/^State:\s+[ZX]/m.test(readFileSync(`/proc/${pid}/status`, "utf8"));
  } catch {
    return false;
  }
}
