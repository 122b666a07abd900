/** What tasks do behind one that heeds no signal. */
import { describe, expect, test } from "vitest";
import { call, stubborn, virtualLayer, worker } from "../../test/support/virtual-layer.ts";

const LOCK = { claims: [{ write: "src" }] } as const;

/** A deaf task that is quarantined after 60 ms, and one behind it. */
async function behindTheDeaf(onQuarantine: "wait" | "skip" | { readonly takeAfterMs: number }) {
  const { agent, release } = stubborn();
  const { layer, clock } = virtualLayer({ deaf: agent, worker }, { onQuarantine, graceMs: 50 });
  const deaf = layer.executeTaskCall({ ...call("deaf", { ...LOCK, timeoutMs: 10 }), agentId: "deaf" });
  expect((await clock.run(deaf)).status).toBe("timed_out");
  const waiting = layer.executeTaskCall(call("behind", LOCK));
  await clock.advance(1);
  return { layer, clock, waiting, release };
}

describe("behind a quarantined holder", () => {
  test("skip ends what needs it, with the reason", async () => {
    const { layer, clock, waiting, release } = await behindTheDeaf("skip");
    const result = await clock.run(waiting);
    expect(result).toMatchObject({ status: "skipped", error: { code: "QUARANTINED" } });
    expect(result.errorMessage).toBe(
      "Task behind was skipped because file:src is quarantined: its last holder (deaf) could not be stopped.",
    );
    release();
    await clock.run(layer.close());
  });

  test("take-after lets it in when the time is over, not before", async () => {
    const { layer, clock, waiting, release } = await behindTheDeaf({ takeAfterMs: 60_000 });
    await clock.advance(50_000);
    expect(layer.getParallelExecutionStatus().waitingCount).toBe(1);
    expect((await clock.run(waiting)).status).toBe("succeeded");
    expect(clock.nowMs()).toBeLessThan(1_000 + 70_000);
    release();
    await clock.run(layer.close());
  });

  test("wait waits until it has stopped", async () => {
    const { layer, clock, waiting, release } = await behindTheDeaf("wait");
    await clock.advance(3_600_000);
    expect(layer.getParallelExecutionStatus().waitingCount).toBe(1);
    release();
    expect((await clock.run(waiting)).status).toBe("succeeded");
    await clock.run(layer.close());
  });
});
