/** Colours and signs, which a terminal may lack. */
import { styleText } from "node:util";
import type { Capabilities } from "./capabilities.ts";

export interface Style {
  bold(text: string): string;
  dim(text: string): string;
  red(text: string): string;
  green(text: string): string;
  yellow(text: string): string;
  cyan(text: string): string;
  readonly signs: Signs;
}

export interface Signs {
  readonly ok: string;
  readonly failed: string;
  readonly warning: string;
  readonly running: string;
  readonly waiting: string;
  readonly skipped: string;
  readonly arrow: string;
  readonly times: string;
  readonly dot: string;
  readonly barFull: string;
  readonly barEmpty: string;
  readonly rails: Rails;
}

/** Pieces of a graph's rails. */
export interface Rails {
  readonly through: string;
  readonly line: string;
  /** A rail goes on, with a line to the right or to the left. */
  readonly branch: string;
  readonly branchLeft: string;
  /** A rail ends in a line to the right or to the left. */
  readonly end: string;
  readonly endLeft: string;
  /** In the midst of a line: a rail that goes on, one that ends. */
  readonly cross: string;
  readonly join: string;
}

const UNICODE: Signs = {
  ok: "✓",
  failed: "✗",
  warning: "!",
  running: "●",
  waiting: "○",
  skipped: "-",
  arrow: "→",
  times: "×",
  dot: "·",
  barFull: "█",
  barEmpty: "░",
  rails: { through: "│", line: "─", branch: "├", branchLeft: "┤", end: "└", endLeft: "┘", cross: "┼", join: "┴" },
};

const ASCII: Signs = {
  ok: "ok",
  failed: "x",
  warning: "!",
  running: "*",
  waiting: "o",
  skipped: "-",
  arrow: "->",
  times: "x",
  dot: "-",
  barFull: "#",
  barEmpty: ".",
  rails: { through: "|", line: "-", branch: "+", branchLeft: "+", end: "+", endLeft: "+", cross: "+", join: "+" },
};

type Format = Parameters<typeof styleText>[0];

export function styleOf(capabilities: Capabilities): Style {
  const paint = (format: Format) => (text: string) =>
    capabilities.hasColour && text !== "" ? styleText(format, text, { validateStream: false }) : text;
  return {
    bold: paint("bold"),
    dim: paint("dim"),
    red: paint("red"),
    green: paint("green"),
    yellow: paint("yellow"),
    cyan: paint("cyan"),
    signs: capabilities.hasUnicode ? UNICODE : ASCII,
  };
}
