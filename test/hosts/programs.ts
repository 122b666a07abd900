/** How each host is started without a person: arguments, environment, configuration. */
import fs from "node:fs";
import path from "node:path";
import { program } from "../../scripts/hosts.mjs";
import type { Model } from "./model/server.ts";
import type { Place } from "./place.ts";

export type HostName = "claude" | "codex" | "gemini" | "opencode";

export interface McpServer {
  readonly command: string;
  readonly args: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
}

export interface Setup {
  readonly place: Place;
  readonly model: Model;
  readonly prompt: string;
  /** Claude: settings; Gemini: settings; opencode: its configuration. Laid over what the lab sets. */
  readonly settings?: Readonly<Record<string, unknown>>;
  /** Codex: the whole config.toml; what the lab needs is given beside it. */
  readonly toml?: string;
  readonly mcp?: Readonly<Record<string, McpServer>>;
  readonly args?: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
  /** `all` (the default): the host asks nobody; `ask`: what it does when nobody changed it. */
  readonly permissions?: "all" | "ask";
}

export interface Command {
  readonly binary: string;
  readonly args: readonly string[];
  readonly env: Readonly<Record<string, string>>;
}

export const PROGRAM_OF: Readonly<Record<HostName, string>> = {
  claude: "claude-code",
  codex: "codex",
  gemini: "gemini-cli",
  opencode: "opencode",
};

export const COMMANDS: Readonly<Record<HostName, (setup: Setup) => Command>> = {
  claude: ({ place, model, prompt, settings, mcp, permissions, ...more }) => {
    // In files: what is handed over as text would appear in the process table. Sessions of one place differ by model.
    const name = `../claude-${new URL(model.url).port}`;
    const settingsFile = place.write(`${name}-settings.json`, JSON.stringify(settings ?? {}));
    const mcpFile = place.write(`${name}-mcp.json`, JSON.stringify({ mcpServers: mcp ?? {} }));
    const args = ["-p", prompt, "--output-format", "stream-json", "--verbose", "--settings", settingsFile];
    const isFree = permissions !== "ask";
    return {
      binary: program("claude-code").binary,
      args: [
        ...args,
        ...["--mcp-config", mcpFile, "--strict-mcp-config"],
        ...(isFree ? ["--dangerously-skip-permissions"] : []),
        ...(more.args ?? []),
      ],
      env: {
        ANTHROPIC_BASE_URL: model.url,
        ANTHROPIC_API_KEY: "sk-ant-lab",
        CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC: "1",
        CLAUDE_CODE_MAX_RETRIES: "2",
        DISABLE_AUTOUPDATER: "1",
        // It is one; without this root may not skip permissions.
        IS_SANDBOX: "1",
        ...more.env,
      },
    };
  },
  codex: ({ place, model, prompt, toml, mcp, permissions, ...more }) => {
    const servers = Object.entries(mcp ?? {}).map(([name, { command, args, env }]) => {
      const entry = Object.entries(env ?? {}).map(([key, value]) => `${key} = ${JSON.stringify(value)}`);
      // Not `required`: the first call fails when the server starts slower than the model answers.
      return `mcp_servers.${name} = { command = ${JSON.stringify(command)}, args = ${JSON.stringify(args)}, env = { ${entry.join(", ")} }, required = true }`;
    });
    const mode = permissions === "ask" ? "workspace-write" : "danger-full-access";
    // Not in config.toml, which sessions of one place share and `hooks install` changes.
    const config = [
      'model = "gpt-5.5"',
      'model_provider = "lab"',
      `model_providers.lab = { name = "lab", base_url = "${model.url}/v1", wire_api = "responses", env_key = "LAB_PASS", request_max_retries = 2, stream_max_retries = 2 }`,
      'approval_policy = "never"',
      `sandbox_mode = "${mode}"`,
      ...servers,
    ];
    const home = path.join(place.home, ".codex");
    fs.mkdirSync(home, { recursive: true });
    if (toml !== undefined) fs.writeFileSync(path.join(home, "config.toml"), toml);
    const args = ["exec", "--json", "--skip-git-repo-check", ...config.flatMap((line) => ["-c", line])];
    return {
      binary: program("codex").binary,
      args: [...args, ...(more.args ?? []), prompt],
      env: { CODEX_HOME: home, LAB_PASS: "lab", ...more.env },
    };
  },
  gemini: ({ place, model, prompt, settings, mcp, permissions, ...more }) => {
    const servers = Object.entries(mcp ?? {}).map(([name, server]) => [name, { ...server, trust: true }]);
    mergeJson(path.join(place.home, ".gemini", "settings.json"), {
      security: { auth: { selectedType: "gemini-api-key" } },
      general: { enableAutoUpdate: false },
      privacy: { usageStatisticsEnabled: false },
      telemetry: { enabled: false },
      mcpServers: Object.fromEntries(servers),
      ...settings,
    });
    const mode = permissions === "ask" ? [] : ["--approval-mode", "yolo"];
    return {
      binary: program("gemini-cli").binary,
      args: [
        "-p",
        prompt,
        "-o",
        "stream-json",
        ...mode,
        "--skip-trust",
        "-m",
        "gemini-2.5-flash",
        ...(more.args ?? []),
      ],
      env: {
        GEMINI_API_KEY: "lab",
        GOOGLE_GEMINI_BASE_URL: model.url,
        GEMINI_CLI_TRUST_WORKSPACE: "true",
        ...more.env,
      },
    };
  },
  opencode: ({ place, model, prompt, settings, mcp, permissions, ...more }) => {
    const servers = Object.entries(mcp ?? {}).map(([name, { command, args, env }]) => [
      name,
      { type: "local", enabled: true, command: [command, ...args], ...(env === undefined ? {} : { environment: env }) },
    ]);
    const models = { lab: { name: "lab", limit: { context: 100_000, output: 8_000 } } };
    const options = { baseURL: `${model.url}/v1`, apiKey: "lab" };
    const config = {
      model: "lab/lab",
      small_model: "lab/lab",
      autoupdate: false,
      share: "disabled",
      ...(permissions === "ask" ? {} : { permission: "allow" }),
      provider: { lab: { npm: "@ai-sdk/openai-compatible", name: "lab", options, models } },
      mcp: Object.fromEntries(servers),
      ...settings,
    };
    return {
      binary: program("opencode").binary,
      args: ["run", "--format", "json", ...(more.args ?? []), prompt],
      env: {
        OPENCODE_CONFIG_CONTENT: JSON.stringify(config),
        OPENCODE_DISABLE_AUTOUPDATE: "1",
        OPENCODE_DISABLE_MODELS_FETCH: "1",
        OPENCODE_DISABLE_LSP_DOWNLOAD: "1",
        ...more.env,
      },
    };
  },
};

/** Over what is there already: hooks may have been installed before the host starts. */
function mergeJson(file: string, values: Readonly<Record<string, unknown>>): void {
  const known = fs.existsSync(file) ? (JSON.parse(fs.readFileSync(file, "utf8")) as Record<string, unknown>) : {};
  fs.mkdirSync(path.dirname(file), { recursive: true });
  fs.writeFileSync(file, JSON.stringify({ ...known, ...values }, null, 2));
}
