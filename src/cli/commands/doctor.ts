/** `lockyard doctor`. */

import { chooseStore } from "../../config/store-choice.ts";
import { systemClock } from "../../edges/basics.ts";
import { storeFile } from "../../edges/store.ts";
import { type Check, checkConfig, checkContainment, checkNode, checkPlatform, checkSwitch } from "../doctor/checks.ts";
import { checkContents, checkFile, checkPlace } from "../doctor/store-checks.ts";
import { checkWorktrees } from "../doctor/worktree-checks.ts";
import { EXIT, type ExitCode } from "../exit-codes.ts";
import { workspaceRoot } from "../look/workspace.ts";
import type { DoctorOptions } from "../set-up-commands.ts";
import { openShared } from "../store/shared-store.ts";
import type { CommonOptions, Surroundings } from "../surroundings.ts";
import type { Style } from "../terminal/style.ts";

export async function doctorCommand(options: DoctorOptions, surroundings: Surroundings): Promise<ExitCode> {
  const { out } = surroundings;
  const place = checkPlace(options.store, surroundings);
  const before: readonly Check[] = [
    checkNode(),
    ...checkSwitch(surroundings),
    ...checkPlatform(),
    checkContainment(),
    ...place.checks,
    ...(place.file === null ? [] : await lookAt(place.file, options, surroundings)),
    await checkConfig(surroundings),
    ...(await checkWorktrees(surroundings)),
  ];
  const isUsable = !before.some(({ name, status }) => name === "store" && status === "fault");
  const proven = options.prove === true && isUsable ? await proveBeside(options, surroundings) : undefined;
  const checks = [...before, ...(proven?.checks ?? [])];
  const faults = checks.filter(({ status }) => status === "fault").length;
  if (options.json === true)
    out.json({ type: "doctor", ok: faults === 0, checks, ...(proven === undefined ? {} : { proof: proven.proof }) });
  else {
    out.lines(checks.flatMap((check) => linesOf(check, out.style)));
    const warnings = checks.filter(({ status }) => status === "warning").length;
    out.line(
      faults === 0 ? `No faults${warnings > 0 ? `, ${warnings} to know about` : ""}.` : `${faults} to put right.`,
    );
  }
  return faults === 0 ? EXIT.ok : EXIT.failed;
}

async function proveBeside(options: DoctorOptions, surroundings: Surroundings) {
  const choice = chooseStore(options.store, surroundings);
  const { proveHere } = await import("../doctor/prove.ts");
  const file = (choice.kind === "sqlite" ? choice.file : undefined) ?? storeFile().file;
  return proveHere(file, { seed: options.seed, surroundings });
}

/** Outside first: a file that cannot be used is not opened as well. */
async function lookAt(file: string, options: DoctorOptions, surroundings: Surroundings): Promise<readonly Check[]> {
  const outside = checkFile(file, { clock: systemClock(), isThorough: options.check === true });
  if (outside.some(({ status }) => status === "fault")) return outside;
  return [...outside, ...(await lookInside(options, surroundings))];
}

async function lookInside(options: CommonOptions, surroundings: Surroundings): Promise<readonly Check[]> {
  try {
    const shared = await openShared(options, surroundings);
    if ("none" in shared) return [];
    try {
      return checkContents(shared, workspaceRoot(surroundings.cwd));
    } finally {
      await shared.store.close();
    }
  } catch (error) {
    const { message, hint } = error as { readonly message?: string; readonly hint?: string }; // whatever it is, its message is shown
    return [
      { name: "store", status: "fault", what: message ?? String(error), ...(hint === undefined ? {} : { fix: hint }) },
    ];
  }
}

const WORDS = { ok: "ok     ", warning: "warning", fault: "fault  " } as const;

function linesOf({ name, status, what, fix }: Check, style: Style): readonly string[] {
  const paint = status === "ok" ? style.green : status === "warning" ? style.yellow : style.red;
  const [first = "", ...rest] = what.split("\n");
  return [
    `${paint(WORDS[status])}  ${style.bold(name.padEnd(10))} ${first}`,
    ...rest.map((line) => `${" ".repeat(20)}${line}`),
    ...(fix === undefined ? [] : [`${" ".repeat(20)}fix: ${fix}`]),
  ];
}
