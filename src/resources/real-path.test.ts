import { mkdirSync, mkdtempSync, realpathSync, rmSync, symlinkSync, unlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import fc from "fast-check";
import { afterAll, beforeAll, expect, test } from "vitest";
import { type FileSystem, nodeFileSystem, pathResolver, realRoot } from "./real-path.ts";

let root = "";
beforeAll(() => {
  root = realpathSync(mkdtempSync(join(tmpdir(), "lockyard-paths-")));
  for (const directory of ["src/api", "other/deep", "app"]) mkdirSync(join(root, directory), { recursive: true });
  writeFileSync(join(root, "src/api/users.ts"), "");
  symlinkSync("../other", join(root, "src/link"));
  symlinkSync("missing/file.txt", join(root, "dangling"));
  symlinkSync("loop-b", join(root, "loop-a"));
  symlinkSync("loop-a", join(root, "loop-b"));
});
afterAll(() => rmSync(root, { recursive: true, force: true }));

const below = (...paths: string[]) => paths.map((path) => `f:${root}/${path}`);
const nodes = (path: string) => pathResolver().nodes(path, root);

test("a plain path is one node, whether it is there or not", () => {
  expect(nodes("src/api/users.ts")).toEqual(below("src/api/users.ts"));
  expect(nodes("src/new/deep/file.ts")).toEqual(below("src/new/deep/file.ts"));
  expect(nodes("src/api/users.ts/below-a-file")).toEqual(below("src/api/users.ts/below-a-file"));
  expect(nodes(`${root}/src/`)).toEqual(below("src"));
});

test("a path behind a link is locked by both its names", () => {
  expect(nodes("src/link/deep/x.ts")).toEqual(below("src/link/deep/x.ts", "other/deep/x.ts"));
  expect(nodes("src/link")).toEqual(below("src/link", "other"));
});

test("a dangling link is locked with the place a write through it would create", () => {
  expect(nodes("dangling")).toEqual(below("dangling", "missing/file.txt"));
});

test("two dots behind a link are read by text and as the kernel reads them", () => {
  expect(nodes("src/link/../api")).toEqual(below("src/api", "api"));
  expect(nodes("src/nowhere/../api")).toEqual(below("src/api"));
});

test("a loop of links is a fault that names the path", () => {
  expect(() => nodes("loop-a/x")).toThrow(
    expect.objectContaining({ code: "INVALID_CLAIM", message: expect.stringContaining("loop-a/x") }),
  );
});

test("a glob claims its fixed prefix, unless a file is called like that", () => {
  expect(nodes("app/[id]/page.tsx")).toEqual(below("app"));
  mkdirSync(join(root, "app/[id]"));
  writeFileSync(join(root, "app/[id]/page.tsx"), "");
  expect(nodes("app/[id]/page.tsx")).toEqual(below("app/[id]/page.tsx"));
  expect(nodes("src/link/**/*.ts")).toEqual(below("src/link", "other"));
  expect(pathResolver().nodes("app/{x}", root, { literal: true })).toEqual(below("app/{x}"));
});

test("a link that moved is seen by the re-check and remembered", () => {
  const resolver = pathResolver();
  const link = join(root, "moving");
  symlinkSync("other", link);
  const first = resolver.nodes("moving/x", root);
  expect(resolver.recheck("moving/x", root)).toBe(first);
  unlinkSync(link);
  symlinkSync("src", link);
  expect(resolver.nodes("moving/x", root)).toBe(first);
  expect(resolver.recheck("moving/x", root)).toEqual(below("moving/x", "src/x"));
  expect(resolver.nodes("moving/x", root)).toEqual(below("moving/x", "src/x"));
});

test("a root reached through a link has one true name", () => {
  expect(realRoot(join(root, "src/link"))).toBe(join(root, "other"));
  expect(realRoot(join(root, "nowhere"))).toBe(join(root, "nowhere"));
});

// What no machine here has: volumes that fold case, directories that may not be searched. Their file system is given as data.
interface Volume {
  readonly at: string;
  readonly folds: boolean;
  readonly names: readonly string[];
}
function volumes(list: readonly Volume[]): FileSystem {
  const of = (path: string) =>
    list.filter(({ at }) => path === at || path.startsWith(at === "/" ? "/" : `${at}/`)).at(-1);
  const find = (path: string): string | undefined => {
    const volume = of(path);
    const known = [
      ...list.map(({ at }) => at),
      ...list.flatMap(({ at, names }) => names.map((name) => join(at, name))),
    ];
    return known.find(
      (name) => name === path || (volume?.folds && of(name) === volume && name.toLowerCase() === path.toLowerCase()),
    );
  };
  return {
    entry(path) {
      const found = find(path);
      const device = list.indexOf(of(path) as Volume); // "/" is always in the list
      return found === undefined
        ? undefined
        : { device, inode: [...found].reduce((sum, c) => sum * 31 + c.charCodeAt(0), 7) % 1e9, isLink: false };
    },
    realPath: find,
    readLink: () => "",
    someNames: (path) => (path === "/" ? (list[0]?.names ?? []) : []),
  };
}

test("names are folded only where the volume folds them", () => {
  const mixed = volumes([
    { at: "/", folds: false, names: ["Home"] },
    { at: "/Home/Mac", folds: true, names: ["Src", "Src/Api"] },
  ]);
  const resolver = pathResolver(mixed);
  expect(resolver.nodes("Src/Api/New.ts", "/Home/Mac")).toEqual(["f:/Home/Mac/src/api/new.ts"]);
  expect(resolver.nodes("SRC/api/new.TS", "/Home/Mac")).toEqual(["f:/Home/Mac/src/api/new.ts"]);
  expect(resolver.nodes("/Home", "/")).toEqual(["f:/Home"]);
});

test("where the rule is unknown both spellings are locked, and meet a claim made when it is known", () => {
  const empty = volumes([{ at: "/", folds: false, names: [] }]);
  const doubtful = pathResolver(empty).nodes("New/File", "/");
  expect(doubtful).toEqual(["f:/New/File", "f:/new/file"]);
  for (const folds of [true, false]) {
    const known = pathResolver(volumes([{ at: "/", folds, names: ["New"] }])).nodes("New/File", "/");
    expect(known.some((node) => doubtful.includes(node))).toBe(true);
  }
});

test("a directory that may not be searched is claimed by text", () => {
  const denied: FileSystem = {
    ...nodeFileSystem,
    entry: (path) => (path.includes("secret") ? undefined : nodeFileSystem.entry(path)),
  };
  expect(pathResolver(denied).nodes("src/secret/x", root)).toEqual(below("src/secret/x"));
});

test("an error of the file system that is no answer is not taken for one", () => {
  const broken: FileSystem = {
    ...nodeFileSystem,
    entry: () => {
      throw Object.assign(new Error("i/o error"), { code: "EIO" });
    },
  };
  expect(() => pathResolver(broken).nodes("src/x", root)).toThrow("i/o error");
});

test("two spellings of one place always share a node", () => {
  const segment = fc.constantFrom("src", "link", "api", "other", "deep", ".", "..", "nowhere", "x.ts");
  fc.assert(
    fc.property(fc.array(segment, { minLength: 1, maxLength: 6 }), (segments) => {
      const path = segments.join("/");
      const direct = nodes(path);
      const again = nodes(`./${path}//`);
      expect(again).toEqual(direct);
      for (const node of direct) expect(pathResolver().nodes(node.slice(2) || "/", root)).toContain(node);
    }),
    { numRuns: 60 },
  );
});
