/**
 * What Codex's `config.toml` says about us. It lets commands in its sandbox write a few places only. Ours is added where
 * nothing stands about them yet; a list that is there already is somebody's own, and changed by hand.
 */
const TABLE = "sandbox_workspace_write";

/** Null when the text says something about the sandbox already; the text itself when our place is in it. */
export function withWritableRoot(text: string, root: string): string | null {
  if (writableRoots(text).includes(root)) return text;
  if (text.includes(TABLE)) return null;
  const eol = text.includes("\r\n") ? "\r\n" : "\n";
  const gap = text === "" ? "" : text.endsWith("\n") ? eol : eol + eol;
  return `${text}${gap}[${TABLE}]${eol}writable_roots = [${JSON.stringify(root)}]${eol}`;
}

/** Places that a plain list of them names. */
export function writableRoots(text: string): readonly string[] {
  const [, list = ""] = /^\s*writable_roots\s*=\s*\[([^\]]*)\]/m.exec(text) ?? [];
  return [...list.matchAll(/"((?:[^"\\]|\\.)*)"|'([^']*)'/g)].map(([, double, single]) =>
    double === undefined ? (single ?? "") : double.replaceAll(/\\(.)/g, "$1"),
  );
}

/**
 * How many hooks of a file Codex has been told to trust. It keeps that by the file's path and the hook's place in it, with a
 * hash of its own, so a hook that changed since counts here and is left out there.
 */
export function trustedHooks(config: string, path: string): number {
  const name = (header: string) =>
    header.startsWith(JSON.stringify(path).slice(0, -1)) || header.startsWith(`'${path}:`);
  const tables = config.split(/^(?=\s*\[)/m).map((table) => /^\s*\[hooks\.state\.(.+?)\]\s*$([\s\S]*)/m.exec(table));
  return tables.filter((table) => {
    const [, header = "", body = ""] = table ?? [];
    return name(header) && /^\s*trusted_hash\s*=/m.test(body) && !/^\s*enabled\s*=\s*false/m.test(body);
  }).length;
}
