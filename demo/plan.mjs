// A repository → the plan that audits it. Every line of the plan is what a person would write by hand.
import path from "node:path";

/**
 * @param {import("./inspect.mjs").Repository} repository
 * @param {{ fails: boolean, ports: readonly number[], builds: number }} options
 * @returns {string} YAML
 */
export function planFor(repository, { fails, ports, builds }) {
  const tasks = tasksFor(repository, fails);
  const plan = {
    name: "audit",
    concurrency: 8,
    deadline: "5m",
    env: { AUDIT_ROOT: literal(repository.root) },
    // More than one unit, so that something runs beside what takes one, and fewer than tasks want.
    resources: {
      build: { capacity: builds, scope: "workspace" },
      port: { pool: ports, env: "PORT", scope: "workspace" },
    },
    agents: { metrics: { kind: "thread", module: "tasks/metrics.mjs" } },
    tasks: {
      ...tasks,
      report: {
        run: ["node", "tasks/report.mjs", "out"],
        write: "out/report.md",
        dependsOn: Object.keys(tasks),
        if: "always",
      },
    },
  };
  const head = [
    `# Audits ${printable(repository.root)}: written by \`npm run demo\`, read by \`lockyard run\`.`,
    "# Try `lockyard plan` on it: it shows what collides, what waits for what, and what bounds the time.",
  ];
  return `${[...head, ...block(plan, 0)].join("\n")}\n`;
}

function tasksFor({ root, folders, tests, hasNodeModules }, fails) {
  const check = (what) => ({ run: ["node", "tasks/check.mjs", what], use: "build", timeout: "90s" });
  return {
    types: check("types"),
    lint: check("lint"),
    ...(tests.length === 0
      ? { tests: check("tests") }
      : {
          tests: {
            ...check("tests"),
            run: ["node", "tasks/check.mjs", "tests", "{{folder}}"],
            forEach: { list: tests, as: "folder" },
            read: `${literal(root)}/{{folder}}`,
          },
        }),
    ...(folders.length === 0
      ? {}
      : {
          metrics: {
            agent: "metrics",
            description: "Measure {{part.name}}",
            forEach: {
              list: folders.map(({ name, paths }) => ({ name, paths })),
              as: "part",
            },
            context: { root: literal(root), part: "{{part}}" },
          },
        }),
    licences: {
      run: ["node", "tasks/licences.mjs", "out/notes.md"],
      ...(hasNodeModules ? { read: literal(path.join(root, "node_modules")) } : {}),
      write: "out/notes.md",
    },
    markers: { run: ["node", "tasks/markers.mjs", "out/notes.md"], write: "out/notes.md" },
    serve: {
      run: ["node", "tasks/serve.mjs", "{{page}}"],
      forEach: { list: ["home", "health", "files"], as: "page" },
      use: "port",
    },
    flaky: { run: "node tasks/flaky.mjs", retry: { attempts: 3, base: "200ms" } },
    ...(fails ? { broken: { run: "node tasks/broken.mjs" } } : {}),
  };
}

/** A text of the repository as itself: no template, and one line. */
function literal(text) {
  return text.replaceAll("{{", "\\{{");
}

function printable(text) {
  return JSON.stringify(text).slice(1, -1);
}

/** Blocks for records, one line for everything small. JSON is YAML, so texts are JSON texts where they need quotes. */
function block(value, depth) {
  const pad = "  ".repeat(depth);
  return Object.entries(value).flatMap(([key, member]) => {
    const short = flow(member);
    const isSmall = short.length + pad.length + key.length < 110 && depth > 1;
    if (typeof member !== "object" || isSmall) return [`${pad}${word(key)}: ${short}`];
    if (!Array.isArray(member)) return [`${pad}${word(key)}:`, ...block(member, depth + 1)];
    return [`${pad}${word(key)}:`, ...member.map((item) => `${pad}  - ${flow(item)}`)];
  });
}

function flow(value) {
  if (Array.isArray(value)) return `[${value.map(flow).join(", ")}]`;
  if (typeof value === "object") {
    return `{ ${Object.entries(value)
      .map(([key, member]) => `${word(key)}: ${flow(member)}`)
      .join(", ")} }`;
  }
  return typeof value === "string" ? word(value) : String(value);
}

/** Quoted unless it is plainly a word that YAML reads as a text. */
function word(text) {
  const isPlain = /^[\w./](?:[\w ./-]*[\w./])?$/.test(text) && Number.isNaN(Number(text));
  const isOther = /^(?:true|false|null|yes|no|on|off|[yn]|\.inf|\.nan|[\d_.]+)$/i.test(text);
  return isPlain && !isOther ? text : JSON.stringify(text);
}
