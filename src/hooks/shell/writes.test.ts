import { expect, test } from "vitest";
import { readShell } from "./read-shell.ts";
import { writesOf } from "./writes.ts";

/** Absolute paths below /repo are written short; a tree ends with `/**`. */
function written(text: string): readonly string[] {
  const reading = readShell(text, { cwd: "/repo", home: "/home/ada" });
  if (reading === null) return ["unclear"];
  return writesOf(reading, { isDirectory: (path) => path === "/repo/src" }).map(
    ({ path, isTree }) => `${path.replace(/^\/repo\//, "")}${isTree ? "/**" : ""}`,
  );
}

test.each<[string, readonly string[]]>([
  ["echo a > a.txt", ["a.txt"]],
  ["echo a >> 'b c.txt' 2>err", ["b c.txt", "err"]],
  ["cmd &> all.log", ["all.log"]],
  ["cmd 2>&1 >/dev/null", []],
  ["cmd >&2", []],
  ["> empty", ["empty"]],
  ["cat <<E > conf\nx > y\nE", ["conf"]],
  ["(cd api; echo a > x)", ["api/x"]],
  ["{ a; b; } > group", ["group"]],
  ["cd $X && echo a > x; echo b > /abs", ["/abs"]],
  ["a | tee -a log 'b c' | wc", ["log", "b c"]],
  ["sed -i s/a/b/ x.ts y.ts", ["x.ts", "y.ts"]],
  ["sed -i.bak -e s/a/b/ -e s/c/d/ x.ts", ["x.ts"]],
  ["sed -i '' s/a/b/ x.ts", ["x.ts"]],
  ["sed -Ei 's/a/b/' x.ts", ["x.ts"]],
  ["sed --in-place=.bak s/a/b/ x.ts", ["x.ts"]],
  ["sed s/a/b/ x.ts", []],
  ["perl -pi -e 's/a/b/' x.ts", ["x.ts"]],
  ["mv a b", ["b/**", "a/**"]],
  ["mv a src", ["src/a/**", "a/**"]],
  ["cp a b", ["b"]],
  ["cp a b new/", ["new/a", "new/b"]],
  ["cp -r a src", ["src/a/**"]],
  ["cp -t src a", []],
  ["rm a 'b c'", ["a", "b c"]],
  ["rm -rf dist", ["dist/**"]],
  ["rm -- -x", ["-x"]],
  ["sudo touch x", ["x"]],
  ["truncate -s 0 x", ["x"]],
  ["dd if=a of=b", ["b"]],
  ["bash -c 'echo a > inner'", ["inner"]],
  ["lockyard exec --use build -- rm x", ["x"]],
  // What only the run can tell.
  ["rm *.ts", []],
  ['echo > "$F"', []],
  ["find . -delete", []],
  ["ls | xargs rm", []],
  ["rm() { :; }; rm x", []],
  ["echo 'rm x'", []],
  ["constructor x", []],
])("%s", (text, paths) => {
  expect(written(text)).toEqual(paths);
});

test("the files of one line are bounded", () => {
  expect(written(`touch ${Array.from({ length: 1_000 }, (_, i) => `f${i}`).join(" ")}`)).toHaveLength(64);
});
