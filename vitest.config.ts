import { defineConfig } from "vitest/config";

/** Folders under test/ that are suites of their own: slower, or in need of `dist`. Everything else is `unit`. */
const folders = ["contract", "stores", "cli", "package", "sim", "prove", "zoo", "mcp", "hosts"];

/** Tests of programs that are only tried when all are asked for. */
const withoutHosts = process.env.LOCKYARD_HOSTS === "all" ? [] : ["test/hosts/agents-acp.test.ts"];

const longer = { testTimeout: 120_000, hookTimeout: 120_000 };

export default defineConfig({
  test: {
    watch: false,
    // Processes, not threads: tests start children, send signals and change the working directory.
    pool: "forks",
    // What a test left running is a failure of that test, so do not wait politely for it.
    teardownTimeout: 5_000,
    projects: [
      {
        test: {
          name: "unit",
          pool: "forks",
          include: ["src/**/*.test.ts", "test/**/*.test.ts"],
          exclude: [...folders.map((folder) => `test/${folder}/**`), "**/node_modules/**", "**/dist/**"],
          testTimeout: 20_000,
        },
      },
      ...folders.map((folder) => ({
        test: {
          name: folder,
          pool: "forks" as const,
          include: [`test/${folder}/**/*.test.ts`],
          exclude: withoutHosts,
          ...longer,
        },
      })),
    ],
  },
});
