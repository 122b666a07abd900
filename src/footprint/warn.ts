import type { AgentContext } from "../core/ports.ts";

/** Tells whoever watches the run, and the log. */
export function warn(ctx: AgentContext, warning: string): void {
  ctx.log.warn(warning);
  ctx.emit({ warning });
}
