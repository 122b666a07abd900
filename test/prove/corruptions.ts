/** Lies put into a true history, each of which no order of moments explains. They show that the checkers can see. */
import type { Acquire, History, Release } from "./history.ts";

type Corruption = (history: History, pick: (most: number) => number) => History | null;

/** Two grants of one resource that exclude each other, the second asked for after the first was answered. */
function pairOf(history: History, pick: (most: number) => number): readonly [Acquire, Acquire] | null {
  const grants = history.filter((operation) => operation.kind === "acquire");
  for (let tries = 0; tries < 1_000; tries++) {
    const first = grants[pick(grants.length)];
    const second = grants[pick(grants.length)];
    if (first === undefined || second === undefined || first.retMs >= second.callMs) continue;
    if (first.isShared && second.isShared) continue;
    if (first.resources.some((name) => second.resources.includes(name))) return [first, second];
  }
  return null;
}

function releaseOf(history: History, { fence }: Acquire): Release | undefined {
  return history.find((operation) => operation.kind === "release" && operation.fence === fence && operation.isDone) as
    | Release
    | undefined;
}

function isCrashed(history: History, { owner }: Acquire): boolean {
  return history.some((operation) => operation.kind === "crash" && operation.owner === owner);
}

const swap = (history: History, ...changes: readonly (readonly [object, object | null])[]): History =>
  history.flatMap((operation) => {
    const change = changes.find(([from]) => from === operation);
    if (change === undefined) return [operation];
    return change[1] === null ? [] : [change[1] as typeof operation]; // of the kind it replaces
  });

const exchangedFences: Corruption = (history, pick) => {
  const pair = pairOf(history, pick);
  if (pair === null) return null;
  const [first, second] = pair;
  return swap(history, [first, { ...first, fence: second.fence }], [second, { ...second, fence: first.fence }]);
};

const sameFenceTwice: Corruption = (history, pick) => {
  const pair = pairOf(history, pick);
  return pair === null ? null : swap(history, [pair[1], { ...pair[1], fence: pair[0].fence }]);
};

/** The first was let go only after the second had been granted. */
const lateRelease: Corruption = (history, pick) => {
  const pair = pairOf(history, pick);
  if (pair === null || isCrashed(history, pair[0])) return null;
  const release = releaseOf(history, pair[0]);
  if (release === undefined || release.retMs === Infinity) return null;
  const callMs = pair[1].retMs + 1;
  return swap(history, [release, { ...release, callMs, retMs: callMs + 1 }]);
};

const noRelease: Corruption = (history, pick) => {
  const pair = pairOf(history, pick);
  if (pair === null || isCrashed(history, pair[0])) return null;
  const release = releaseOf(history, pair[0]);
  return release === undefined ? null : swap(history, [release, null]);
};

/** Somebody is told that he holds nothing, before he let go. */
const refusedHolder: Corruption = (history, pick) => {
  const pair = pairOf(history, pick);
  if (pair === null || isCrashed(history, pair[0])) return null;
  const { fence, retMs } = pair[0];
  const release = releaseOf(history, pair[0]);
  if (release === undefined || release.callMs - retMs < 0.01) return null;
  const refusal: Release = {
    kind: "release",
    fence,
    isDone: false,
    callMs: retMs,
    retMs: (retMs + release.callMs) / 2,
  };
  return [...history, refusal];
};

const twoReleases: Corruption = (history, pick) => {
  const pair = pairOf(history, pick);
  const release = pair === null ? undefined : releaseOf(history, pair[0]);
  if (release === undefined || release.retMs === Infinity) return null;
  return [...history, { ...release, callMs: release.retMs + 1, retMs: release.retMs + 2 }];
};

const CORRUPTIONS: readonly Corruption[] = [
  exchangedFences,
  sameFenceTwice,
  lateRelease,
  noRelease,
  refusedHolder,
  twoReleases,
];

/** The history with one lie in it. */
export function corrupted(history: History, random: () => number): History {
  const pick = (most: number): number => Math.floor(random() * most);
  for (let tries = 0; tries < 1_000; tries++) {
    const lie = CORRUPTIONS[pick(CORRUPTIONS.length)]?.(history, pick) ?? null;
    if (lie !== null) return lie;
  }
  throw new Error("This history has no two grants that exclude each other.");
}
