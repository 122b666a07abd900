/**
 * Paths → nodes, by text alone. One namespace: a node covers all below it; a missing path is fine. The file system's side
 * (real paths behind links, case rules) is resources/real-path.ts.
 */
import { posix } from "node:path";
import { BOUNDS } from "./bounds.ts";
import { LockyardError } from "./errors.ts";

/** First character of a path segment that makes it a pattern. */
const PATTERN = /[*?[{]/;

/** `src/api/**\/*.ts` → `src/api`: a glob claims its fixed prefix. */
export function fixedPrefix(path: string): string {
  const segments = path.split("/");
  const at = segments.findIndex((segment) => PATTERN.test(segment));
  if (at < 0) return path;
  const prefix = segments.slice(0, at).join("/");
  return prefix === "" ? (path.startsWith("/") ? "/" : ".") : prefix;
}

/**
 * The node of a path, relative ones below `root` (absolute). NFC, `.` and `..` resolved by text, trailing slash dropped;
 * lower case when the file system folds case. `literal` takes pattern characters as they are (a file may be called `[id]`).
 * Throws INVALID_CLAIM.
 */
export function pathNode(
  path: string,
  root: string,
  options: { readonly foldCase?: boolean; readonly literal?: boolean } = {},
): string {
  if (typeof path !== "string" || path === "" || path.includes("\u0000")) {
    throw new LockyardError("INVALID_CLAIM", `The path ${JSON.stringify(path)} must be non-empty and without NUL.`);
  }
  const absolute = posix.resolve(root, options.literal ? path : fixedPrefix(path)).normalize("NFC");
  if (Buffer.byteLength(absolute) > 4_096)
    throw new LockyardError("INVALID_CLAIM", `The path ${absolute.slice(0, 60)}… is longer than 4,096 bytes.`);
  const text = absolute === "/" ? "" : absolute;
  const depth = text.split("/").length - 1;
  if (depth > BOUNDS.pathDepth) {
    throw new LockyardError(
      "INVALID_CLAIM",
      `The path ${absolute} is ${depth} levels deep and the limit is ${BOUNDS.pathDepth}.`,
      {
        hint: "Claim a directory nearer to the root; it covers all below it.",
      },
    );
  }
  return `f:${options.foldCase ? text.toLowerCase() : text}`;
}

/** The path of a node, relative to `root` when it lies below. */
export function nodePath(node: string, root: string): string {
  const absolute = node.slice(2) || "/";
  if (absolute === root) return ".";
  return absolute.startsWith(root === "/" ? "/" : `${root}/`)
    ? absolute.slice(root === "/" ? 1 : root.length + 1)
    : absolute;
}

/** What people read: `file:src/api`, `name:backend_services/users`, `capacity:build`, `limit:…`. */
export function resourceId(node: string, root: string): string {
  const plain = node.endsWith("/") ? node.slice(0, -1) : node;
  const text = plain.slice(2);
  switch (plain.charCodeAt(0)) {
    case 102: // f
      return `file:${nodePath(plain, root)}`;
    case 110: {
      // n
      const at = text.indexOf(":");
      const scope = text.slice(0, at);
      if (scope !== "machine" && scope !== "cluster") return text.slice(at + 1);
      // A lock of git's own bears a repository's hash: people say `git:index`.
      return text.replace(/^machine:git\/[a-z0-9]+\//, "git:");
    }
    case 108: // l
      return text === "machine" ? "concurrency (machine)" : text.slice(text.indexOf(":") + 1);
    default:
      // c, p, r: the bare name; a private one loses its workspace
      return text.slice(text.indexOf(":") + 1);
  }
}
