/** Recognises, in what is said between processes and store, the things that must happen now and then. */
import type { Command } from "../../../core/command.ts";
import type { HeardTurn } from "../ghost/ghost.ts";
import type { GhostTask } from "../ghost/ghost-task.ts";
import type { Notice } from "../notice.ts";
import type { KernelWorld } from "./world.ts";

/** Called before the ghost has heard the turn: its books still show how things stood. */
export function observe(world: KernelWorld, { commands, notices }: HeardTurn): void {
  const refused = new Set<number>();
  for (const notice of notices) if (notice.type === "refused") refused.add(notice.index);
  for (const [index, command] of commands.entries()) if (!refused.has(index)) observeAccepted(world, command);
  for (const notice of notices) {
    if (notice.type === "refused") observeRefused(world, commands[notice.index], notice);
    else if ("key" in notice) observeRow(world, commands, notice);
  }
}

function observeAccepted(world: KernelWorld, command: Command): void {
  const { sometimes, ghost } = world;
  switch (command.type) {
    case "need-input":
      world.askedPeople.add(command.key);
      return;
    case "unlock":
      return sometimes.happened("quarantined, then unlocked by a person");
    case "renew":
      return sometimes.happened("guest gave a sign of life");
    case "enqueue":
      if (command.ownerId !== undefined && ghost.books.tasks.get(command.key)?.ownerId !== command.ownerId) {
        sometimes.happened("task suspended and adopted by another owner");
      }
      return;
    case "rerank":
      return sometimes.happened("reranked while it stood in line");
    case "put-back": {
      const task = ghost.books.tasks.get(command.key);
      return task === undefined ? undefined : world.strangers.wentBack(task.taskId, command);
    }
    case "slow-down":
      if ([...ghost.books.waiting].some(({ claims }) => claims.some(({ node }) => node === command.node)))
        sometimes.happened("provider overloaded, and somebody waited for it");
      return;
    case "declare":
      if (command.capacity < ghost.books.counts.used(command.node))
        sometimes.happened("capacity made smaller than what is out");
      return;
    default:
      return;
  }
}

function observeRefused(
  { sometimes, ghost }: KernelWorld,
  command: Command | undefined,
  { code }: Extract<Notice, { readonly type: "refused" }>,
): void {
  if (command?.type === "renew") sometimes.happened("sign of life refused: it came too late");
  if (command?.type === "put-back") sometimes.happened("put-back refused: it came too late");
  if (command?.type === "settle" && code === "STALE_FENCE") sometimes.happened("stale settle refused");
  if (command?.type === "submit" && code === "OWNER_GONE") sometimes.happened("submission without an owner refused");
  if (code === "OVER_CAPACITY") sometimes.happened("refused over capacity");
  if (code !== "DEADLOCK" || command?.type !== "submit") return;
  sometimes.happened("deadlock refused on request");
  const parent = ghost.books.tasks.get(command.row.parentKey);
  const isUpgrade = command.row.claims.some(
    ({ node, mode }) => mode === 2 && parent?.claims.some((claim) => claim.node === node && !claim.isExclusive),
  );
  if (isUpgrade) sometimes.happened("upgrade of a shared lock refused");
}

function observeRow(
  world: KernelWorld,
  commands: readonly Command[],
  notice: Extract<Notice, { readonly key: number }>,
): void {
  const { sometimes, ghost } = world;
  const task = ghost.books.tasks.get(notice.key);
  switch (notice.type) {
    case "submitted": {
      const command = commands[notice.index];
      if (command?.type === "submit" && notice.rank < command.row.rank)
        sometimes.happened("place kept and taken again");
      return;
    }
    case "waiting":
      if (notice.watch.startsWith("r:")) sometimes.happened("rate made somebody wait");
      return;
    case "reserved":
      sometimes.happened("reservation taken");
      if (task?.hasReserved) sometimes.happened("reservation given up at a gate and taken again");
      return;
    case "requeued":
      return sometimes.happened("start time-out requeued");
    case "stop-requested":
      return sometimes.happened("cancelled while it ran");
    case "quarantined":
      if (commands.some(({ type }) => type === "owner-gone"))
        sometimes.happened("owner judged gone with running tasks");
      return;
    case "admitted":
      if (task !== undefined) observeGrant(world, task, notice);
      return;
    case "ended":
      if (task === undefined) return;
      observeEstate(world, task);
      if (
        notice.code === "LOCK_EXPIRED" &&
        [...ghost.books.waiting].some((other) => ghost.books.names.conflict(other.claims, task.claims))
      )
        sometimes.happened("lapsed while others waited for it");
      observeEnd(world, task, notice);
      if (notice.code === "DEADLOCK" && commands.some(({ type }) => type === "declare"))
        sometimes.happened("knot closed by a number that was made smaller");
      return;
    default:
      return;
  }
}

function observeGrant(
  { sometimes, ghost, given, askedPeople }: KernelWorld,
  task: GhostTask,
  notice: Extract<Notice, { readonly type: "admitted" }>,
): void {
  for (const [node, members] of Object.entries(notice.members ?? {})) {
    for (const member of members) {
      const id = `${node}#${member}`;
      if (given.has(id)) sometimes.happened("pool member used again");
      given.add(id);
    }
  }
  if (task.wantsSlot)
    sometimes.happened(
      askedPeople.delete(task.parentKey) ? "needs input, then went on" : "slot given back and taken again",
    );
  if (task.ancestors.length === 0) return;
  const ancestors = [...ghost.books.held].filter((other) => task.ancestors.includes(other.holderKey));
  if (ancestors.some((other) => ghost.books.names.conflict(task.claims, other.claims)))
    sometimes.happened("child granted under its ancestor's lock");
  const isCovered = task.claims.some(
    (claim) => claim.what === "units" && ghost.books.wanted(task, claim.node, claim.units) < claim.units,
  );
  if (isCovered) sometimes.happened("unit of an ancestor counted as held");
}

/** Somebody inside it holds something still. */
function observeEstate({ sometimes, ghost }: KernelWorld, task: GhostTask): void {
  if (task.state !== "held" || task.isRequest) return;
  const inside = [...ghost.books.held].filter((other) => other.ancestors.includes(task.key) && !other.isRequest);
  if (inside.length === 0) return;
  sometimes.happened("parent ended first");
  for (const node of Object.keys(task.taken ?? {})) {
    const leaning = inside.some((other) => (other.taken?.[node] ?? 1) === 0);
    if (leaning)
      sometimes.happened(`${node === "p:ports" ? "member" : "unit"} passed on to a child of a parent that ended`);
  }
}

function observeEnd(
  { sometimes }: KernelWorld,
  task: GhostTask,
  { code }: Extract<Notice, { readonly type: "ended" }>,
): void {
  switch (code) {
    case "QUEUE_TIMEOUT":
      return sometimes.happened(task.isRequest ? "request timed out in line" : "queue time-out in line");
    case "LOCK_EXPIRED":
      return sometimes.happened("guest fell silent and its hold lapsed");
    case "OVER_CAPACITY":
      return sometimes.happened("ended in line: more than there is by now");
    case "DEADLOCK":
      return sometimes.happened("deadlock found on grant or enqueue");
    case "CANCELLED":
      if (task.state === "waiting" && !task.isRequest) sometimes.happened("cancelled while it waited");
      return;
    case "OWNER_GONE":
      if (task.state === "held" && !task.isRequest) sometimes.happened("owner judged gone with running tasks");
      return;
    default:
      return;
  }
}
