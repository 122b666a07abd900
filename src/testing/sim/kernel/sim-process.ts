/**
 * One simulated process: beats, looks after others' leases, and may be stopped (nothing in it runs) or crash (its functions
 * end, its child processes live on). Its tasks are in task-desk.ts.
 */
import { LEASE } from "../../../core/bounds.ts";
import type { Command, Owner } from "../../../core/command.ts";
import type { Notice } from "../notice.ts";
import { Channel, type ChannelEnd } from "./channel.ts";
import type { Job } from "./job.ts";
import { TaskDesk } from "./task-desk.ts";
import type { KernelWorld } from "./world.ts";

const JUDGE_MS = 1_500;

export class SimProcess implements ChannelEnd {
  readonly ownerId: string;
  readonly world: KernelWorld;
  readonly desk: TaskDesk;
  isCrashed = false;
  isStopped = false;
  /** By how much its clock is ahead. */
  skewMs = 0;
  readonly #channel: Channel;
  #backlog: (() => void)[] = [];

  constructor(world: KernelWorld, ownerId: string) {
    this.world = world;
    this.ownerId = ownerId;
    this.desk = new TaskDesk(this);
    this.#channel = new Channel(world, this);
  }

  get owner(): Owner {
    return {
      ownerId: this.ownerId,
      pid: 1,
      startTime: 1,
      bootId: "b",
      pidNamespace: "n",
      machine: "m",
      label: this.ownerId,
      beatAtMs: 0,
    };
  }

  begin(): void {
    this.after(LEASE.beatMs, () => this.#beat());
    this.after(JUDGE_MS, () => this.#judge());
  }

  #beat(): void {
    this.send({ type: "owner-beat", ownerId: this.ownerId });
    this.after(LEASE.beatMs, () => this.#beat());
  }

  /** Looks at the leases of others. */
  #judge(): void {
    for (const owner of this.world.store.owners()) {
      if (owner.ownerId === this.ownerId) continue;
      this.world.judgeOwner(this, owner);
    }
    this.after(JUDGE_MS + this.world.chance.pick(500), () => this.#judge());
  }

  nowMs(): number {
    return this.world.agenda.nowMs + this.skewMs;
  }

  after(delayMs: number, fire: () => void): void {
    this.world.agenda.after(delayMs, () => this.whenAwake(fire));
  }

  whenAwake(fire: () => void): void {
    if (this.isCrashed) return;
    if (this.isStopped) this.#backlog.push(fire);
    else fire();
  }

  stop(): void {
    this.isStopped = true;
  }

  resume(): void {
    this.isStopped = false;
    const backlog = this.#backlog;
    this.#backlog = [];
    for (const fire of backlog) this.whenAwake(fire);
    this.after(1, () => this.desk.reconcile());
  }

  /** Functions end with the process; guests are whoever talks through it; child processes may live on. */
  crash(): readonly Job[] {
    this.isCrashed = true;
    const zombies: Job[] = [];
    for (const job of this.desk.jobs.values()) {
      job.orphan();
      if (job.plan.holder === "owned" && job.isTouching) zombies.push(job);
      else job.dropTouches();
    }
    return zombies;
  }

  send(command: Command): void {
    if (!this.isCrashed) this.#channel.send(command);
  }

  /** A report that comes long after its time. */
  sendLate(command: Command): void {
    this.#channel.sendLate(command);
  }

  onAnswer(commands: readonly Command[], notices: readonly Notice[]): void {
    this.desk.onAnswer(commands, notices);
  }

  onLostAnswer(commands: readonly Command[]): void {
    this.desk.onLostAnswer(commands);
  }
}
