// Under which licences the repository and its installed packages stand.
import fs from "node:fs";
import path from "node:path";
import { finish, listFiles, ROOT, report } from "./task.mjs";

const notes = process.argv[2];
const own = (await listFiles()).filter((file) => /^(licen[cs]e|copying)(\.|$)/i.test(file));
const counts = new Map();
const packages = packageFiles(path.join(ROOT, "node_modules"));
for (const [index, file] of packages.entries()) {
  const licence = licenceOf(file);
  counts.set(licence, (counts.get(licence) ?? 0) + 1);
  if (index % 50 === 0) report({ progress: index / packages.length });
}
const sorted = [...counts].sort((a, b) => b[1] - a[1]);
const says =
  packages.length === 0
    ? "no installed packages"
    : `${packages.length} packages: ${sorted
        .slice(0, 4)
        .map(([licence, count]) => `${licence} ${count}`)
        .join(", ")}`;
fs.mkdirSync(path.dirname(notes), { recursive: true });
fs.appendFileSync(notes, `## Licences\n\nOwn: ${own.join(", ") || "no licence file"}. ${says}.\n\n`);
finish({ own, packages: packages.length, licences: Object.fromEntries(sorted), says });

/** The package.json of every installed package, one level of scopes deep. */
function packageFiles(folder) {
  if (!fs.existsSync(folder)) return [];
  return fs.readdirSync(folder).flatMap((name) => {
    if (name.startsWith(".")) return [];
    const inside = path.join(folder, name);
    if (name.startsWith("@")) return fs.readdirSync(inside).map((each) => path.join(inside, each, "package.json"));
    return [path.join(inside, "package.json")];
  });
}

function licenceOf(file) {
  try {
    const { license } = JSON.parse(fs.readFileSync(file, "utf8"));
    return typeof license === "string" ? license : (license?.type ?? "unknown");
  } catch {
    return "unknown";
  }
}
