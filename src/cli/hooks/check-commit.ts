/** `lockyard hooks check-commit`: what a pre-commit hook of git calls. */
import { errorCode, neutralise } from "../../edges/basics.ts";
import { knownHost, sessionOf } from "../exec/host.ts";
import { EXIT, type ExitCode } from "../exit-codes.ts";
import { openShared } from "../store/shared-store.ts";
import type { CommonOptions, Surroundings } from "../surroundings.ts";

/** Refuses a session's commit. Where Lockyard cannot say anything, commits go on, with a line that says why. */
export async function checkCommit(options: CommonOptions, surroundings: Surroundings): Promise<ExitCode> {
  const { out, err } = surroundings;
  try {
    const finding = await findingOf(options, surroundings);
    const isRefused = finding?.isRefused === true;
    if (options.json === true)
      out.json({ type: "hooks", action: "check-commit", refused: isRefused, finding: finding?.text ?? null });
    else if (finding !== null) err.line(`lockyard: ${neutralise(finding.text)}`);
    return isRefused ? EXIT.failed : EXIT.ok;
  } catch (error) {
    if (errorCode(error) === undefined || !(error instanceof Error)) throw error;
    err.line(`lockyard: ${neutralise(error.message)} This commit was not checked.`);
    return EXIT.ok;
  }
}

interface Finding {
  readonly text: string;
  readonly isRefused: boolean;
}

async function findingOf(options: CommonOptions, surroundings: Surroundings): Promise<Finding | null> {
  const { env, cwd } = surroundings;
  const shared = await openShared(options, surroundings);
  if ("none" in shared) return null;
  const { store, clock } = shared;
  try {
    const { commitFinding, liveSessions, realGit, sessionIdOf } = await import("../../hooks/guard/index.ts");
    const host = knownHost(env)?.name;
    const session = sessionOf(env, false);
    const isKnown = host === "claude" || host === "codex" || host === "gemini" || host === "opencode";
    const sessionId = isKnown && session !== "" ? sessionIdOf({ host, session }) : null;
    const text = await commitFinding({
      book: store.book,
      git: realGit,
      sessionId,
      isLive: liveSessions(clock),
      directory: cwd,
    });
    return text === null ? null : { text, isRefused: sessionId !== null };
  } finally {
    await store.close();
  }
}
