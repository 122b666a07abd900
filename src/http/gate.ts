/**
 * The one gate before everything that is served over HTTP: every method, every path, also those that do not exist.
 *
 *  G1 a page of another site reaches nothing, whatever it sends: no request passes that a browser marks as foreign, that
 *     names another host than this one (a name that was rebound to this address), or that lacks the token
 *  G2 no answer allows another origin anything, so that a browser never shows one to a foreign page
 *  G3 how long a comparison takes tells nothing of the token
 */
import { createHash, timingSafeEqual } from "node:crypto";

export interface GateRequest {
  readonly method: string;
  /** As it was sent: with a host of its own it is for a proxy, and we are none. */
  readonly target: string;
  /** By lower-case name; every value that was sent. */
  readonly headers: Readonly<Record<string, readonly string[] | undefined>>;
}

export type Verdict =
  | { readonly passes: true }
  | { readonly passes: false; readonly status: 400 | 401 | 403; readonly reason: string };

export type Gate = (request: GateRequest) => Verdict;

/** Names of this machine for itself. */
const NAMES = ["127.0.0.1", "localhost", "[::1]"] as const;

/** What a browser may say of a request that no foreign page caused. */
const OWN_SITES: ReadonlySet<string> = new Set(["same-origin", "none"]);

export function gateFor({ port, token }: { readonly port: number; readonly token: string }): Gate {
  const hosts = new Set(NAMES.map((name) => `${name}:${port}`));
  const origins = new Set([...hosts].map((host) => `http://${host}`));
  const digest = digestOf(token);
  return ({ target, headers }) => {
    if (!target.startsWith("/")) return refused(400, "the request names a host: this is no proxy");
    const { host, origin, authorization } = headers;
    const site = headers["sec-fetch-site"];
    if (!isOne(host) || !hosts.has(host[0].toLowerCase())) return refused(403, "the host is not this machine");
    if (site !== undefined && !(isOne(site) && OWN_SITES.has(site[0])))
      return refused(403, "another site caused the request");
    if (origin !== undefined && !(isOne(origin) && origins.has(origin[0].toLowerCase())))
      return refused(403, "the origin is another site");
    const given = isOne(authorization) ? /^Bearer +([\w.~+/-]+=*)$/i.exec(authorization[0])?.[1] : undefined;
    if (given === undefined || !timingSafeEqual(digestOf(given), digest))
      return refused(401, "the token is missing or wrong");
    return { passes: true };
  };
}

function isOne(values: readonly string[] | undefined): values is readonly [string] {
  return values?.length === 1;
}

function refused(status: 400 | 401 | 403, reason: string): Verdict {
  return { passes: false, status, reason };
}

/** Of equal length for every text. */
function digestOf(text: string): Buffer {
  return createHash("sha256").update(text).digest();
}
