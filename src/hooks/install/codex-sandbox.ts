/**
 * Codex lets commands in its sandbox write a few places only. Ours is added where nothing stands about them yet; a list that
 * is there already is somebody's own, and changed by hand.
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
