import { claudeCode } from "./claude-code.ts";
import { codex } from "./codex.ts";
import type { CodingCli, Dialect } from "./dialect.ts";
import { gemini } from "./gemini.ts";
import { opencode } from "./opencode.ts";

export const DIALECTS: Readonly<Record<CodingCli, Dialect>> = { "claude-code": claudeCode, codex, gemini, opencode };
