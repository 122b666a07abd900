/**
 * What is known of agents that speak the protocol, measured on real programs: how they are started, in which mode they ask
 * before they change something, and which variables they need. Recognised by the name of their program.
 */
import path from "node:path";

export type AcpPreset = "gemini" | "opencode" | "claude-agent-acp";

export interface PresetFacts {
  readonly argv: readonly string[];
  /** Set after the session is made: agents do not all ask by default. */
  readonly mode?: string;
  /** It leaves the writing of files to us when we offer it. */
  readonly writesThroughUs?: boolean;
  readonly env?: Readonly<Record<string, string>>;
  /** Our own variables it needs to reach its model. */
  readonly passEnv: readonly string[];
  /** How a model is named on its command line; otherwise it is set in the session. */
  readonly modelArgs?: (model: string) => readonly string[];
  readonly install: string;
}

/** Variables of ours that any of them may need to reach its provider and its own files. */
export const PASSED_TO_ALL: readonly string[] = [
  "HTTP_PROXY",
  "HTTPS_PROXY",
  "NO_PROXY",
  "http_proxy",
  "https_proxy",
  "no_proxy",
  "SSL_CERT_FILE",
  "NODE_EXTRA_CA_CERTS",
  "XDG_CONFIG_HOME",
  "XDG_DATA_HOME",
  "XDG_STATE_HOME",
  "XDG_CACHE_HOME",
];

const PRESETS: Readonly<Record<AcpPreset, PresetFacts>> = {
  gemini: {
    argv: ["gemini", "--acp"],
    mode: "default",
    // Offered reading as well, it cannot create files; without any, it asks but writes by itself.
    writesThroughUs: true,
    passEnv: [
      "GEMINI_API_KEY",
      "GOOGLE_API_KEY",
      "GOOGLE_CLOUD_PROJECT",
      "GOOGLE_CLOUD_LOCATION",
      "GOOGLE_GENAI_USE_VERTEXAI",
      "GOOGLE_APPLICATION_CREDENTIALS",
      "GOOGLE_GEMINI_BASE_URL",
      "GEMINI_CLI_TRUST_WORKSPACE",
    ],
    modelArgs: (model) => ["-m", model],
    install: "npm install -g @google/gemini-cli",
  },
  opencode: {
    argv: ["opencode", "acp"],
    // Its own default is to edit and run without asking.
    env: { OPENCODE_PERMISSION: JSON.stringify({ edit: "ask", bash: "ask", webfetch: "ask" }) },
    passEnv: ["OPENCODE_CONFIG", "ANTHROPIC_API_KEY", "OPENAI_API_KEY", "OPENROUTER_API_KEY", "GEMINI_API_KEY"],
    install: "npm install -g opencode-ai",
  },
  "claude-agent-acp": {
    argv: ["claude-agent-acp"],
    // It starts in a mode that asks nothing.
    mode: "default",
    passEnv: ["ANTHROPIC_API_KEY", "ANTHROPIC_AUTH_TOKEN", "ANTHROPIC_BASE_URL", "CLAUDE_CODE_OAUTH_TOKEN"],
    install: "npm install -g @agentclientprotocol/claude-agent-acp",
  },
};

export function presetFacts(name: AcpPreset): PresetFacts {
  return PRESETS[name];
}

/** What is known of the program an argv names: `/usr/bin/gemini --acp`. */
export function presetOf(argv: readonly string[]): PresetFacts | undefined {
  const program = path.basename(argv[0] ?? "");
  const name = (Object.keys(PRESETS) as AcpPreset[]).find((each) => each === program); // the keys of a literal record
  return name === undefined ? undefined : PRESETS[name];
}
