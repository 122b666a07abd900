/**
 * What a disk may hold after the power went: writes and flushes of a real workload are recorded with strace; for a moment
 * among them, what was flushed is there, and of what was not, each write is there, is not, or is torn, in any order.
 *
 * P1  a flush makes all earlier writes of its file permanent
 * P2  later writes are kept, lost or torn at a sector, each by itself; so is a change of a file's length
 * P3  directory entries are not lost: the files exist from the beginning
 */
import { spawnSync } from "node:child_process";
import { mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { basename, join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { seededRandom } from "../../src/clock/virtual-clock.ts";

export type RecordedTier = "power" | "process" | "off";

type Step =
  | { readonly type: "write"; readonly name: string; readonly at: number; readonly bytes: Buffer }
  | { readonly type: "length"; readonly name: string; readonly bytes: number }
  | { readonly type: "flush"; readonly name: string }
  | { readonly type: "ack"; readonly what: "submitted" | "settled"; readonly task: number };

const WORKER = new URL("./power-worker.ts", import.meta.url).pathname;
const CALLS = "openat,close,pwrite64,write,ftruncate,fsync,fdatasync";
const SECTOR = 512;
const FILES = ["store.db", "store.db-wal"] as const;

/** Runs the workload and answers what it wrote, flushed and was told, in order. */
export function record(directory: string, tier: RecordedTier, tasks: number): readonly Step[] {
  mkdirSync(directory, { recursive: true });
  const trace = join(directory, "trace");
  // Not the threads of Node: what SQLite writes comes from the main one.
  const strace = ["-o", trace, "-xx", "-s", "70000", "-e", `trace=${CALLS}`, "-e", "signal=none"];
  const { signal, stderr } = spawnSync(
    "strace",
    [...strace, process.execPath, "--no-warnings", WORKER, directory, tier, String(tasks)],
    { encoding: "utf8" },
  );
  if (signal !== "SIGKILL") throw new Error(`the workload did not come to its end: ${stderr}`);
  const steps = [...stepsOf(readFileSync(trace, "latin1"))];
  for (const name of ["trace", ...FILES, "store.db-shm"]) rmSync(join(directory, name), { force: true });
  return steps;
}

function* stepsOf(trace: string): Generator<Step> {
  const names = new Map<string, string>();
  for (const line of trace.split("\n")) {
    const [, call = "", rest = "", answer = ""] = /^(\w+)\((.*)\)\s+= (-?\d+)/.exec(line) ?? [];
    const fd = /^\d+/.exec(rest)?.[0] ?? "";
    const name = names.get(fd) ?? "";
    if (call === "openat" && Number(answer) >= 0) names.set(answer, basename(textOf(rest).toString("utf8")));
    else if (call === "close") names.delete(fd);
    else if (call === "write" && name === "acks") {
      const [what, task] = textOf(rest).toString("utf8").trim().split(" ");
      if (what === "submitted" || what === "settled") yield { type: "ack", what, task: Number(task) };
    } else if (!FILES.some((known) => known === name)) continue;
    else if (call === "pwrite64") {
      yield { type: "write", name, at: Number(/, (\d+)$/.exec(rest)?.[1]), bytes: textOf(rest) };
    } else if (call === "ftruncate") yield { type: "length", name, bytes: Number(rest.split(", ")[1]) };
    else if (call === "fsync" || call === "fdatasync") yield { type: "flush", name };
    else if (call === "write") throw new Error(`a write without a place: ${line.slice(0, 80)}`);
  }
}

/** The first text of a call, which strace -xx writes as hexadecimal bytes. */
function textOf(rest: string): Buffer {
  const text = /"((?:\\x[0-9a-f]{2})*)"(\.\.\.)?/.exec(rest);
  if (text === null || text[2] !== undefined) throw new Error(`not a whole text: ${rest.slice(0, 80)}`);
  return Buffer.from((text[1] ?? "").replaceAll("\\x", ""), "hex");
}

/** A file's bytes, growing as they are written. */
class Image {
  #bytes = Buffer.alloc(1 << 16);
  length = 0;

  write(at: number, bytes: Buffer): void {
    const end = at + bytes.length;
    if (end > this.#bytes.length) {
      const larger = Buffer.alloc(2 * end);
      this.#bytes.copy(larger, 0, 0, this.length);
      this.#bytes = larger;
    }
    bytes.copy(this.#bytes, at);
    this.length = Math.max(this.length, end);
  }

  truncate(length: number): void {
    if (length < this.length) this.#bytes.fill(0, length, this.length);
    this.length = length;
  }

  copy(): Image {
    const copy = new Image();
    copy.write(0, this.bytes());
    return copy;
  }

  bytes(): Buffer {
    return this.#bytes.subarray(0, this.length);
  }
}

export interface Losses {
  readonly states: number;
  /** States that cannot be opened, or whose structure is broken. */
  readonly damaged: number;
  /** States in which something acknowledged is missing, and how much in the worst. */
  readonly losing: number;
  readonly mostLost: number;
  /** States that hold something later without something earlier. */
  readonly notAPrefix: number;
}

interface Moment {
  readonly durable: ReadonlyMap<string, Image>;
  readonly pending: readonly Step[];
  readonly submitted: number;
  readonly settled: number;
}

/** Looks at so many states after a loss of power, at moments spread over the whole record. */
export function replay(
  steps: readonly Step[],
  { states, seed, place }: { states: number; seed: number; place: string },
): Losses {
  const random = seededRandom(seed);
  mkdirSync(place, { recursive: true });
  const moments = Array.from({ length: states }, () => Math.floor(random() * (steps.length + 1))).sort((a, b) => a - b);
  const durable = new Map(FILES.map((name) => [name as string, new Image()]));
  let pending: Step[] = [];
  let done = 0;
  const told = { submitted: 0, settled: 0 };
  const losses = { states, damaged: 0, losing: 0, mostLost: 0, notAPrefix: 0 };
  for (const moment of moments) {
    for (; done < moment; done++) {
      const step = steps[done];
      if (step === undefined) break;
      if (step.type === "ack") told[step.what] = step.task + 1;
      else if (step.type === "flush") pending = settled(pending, step.name, durable);
      else pending.push(step);
    }
    const verdict = judge({ durable, pending, ...told }, random, place);
    if (verdict === "damaged") losses.damaged++;
    else {
      if (!verdict.isPrefix) losses.notAPrefix++;
      if (verdict.lost > 0) losses.losing++;
      losses.mostLost = Math.max(losses.mostLost, verdict.lost);
    }
  }
  return losses;
}

/** P1. */
function settled(pending: readonly Step[], name: string, durable: ReadonlyMap<string, Image>): Step[] {
  return pending.filter((step) => {
    if (!("name" in step) || step.name !== name) return true;
    apply(step, durable.get(name));
    return false;
  });
}

function apply(step: Step, image: Image | undefined): void {
  if (step.type === "write") image?.write(step.at, step.bytes);
  else if (step.type === "length") image?.truncate(step.bytes);
}

/** P2: one disk that could be, and what SQLite makes of it. */
function judge(
  { durable, pending, submitted, settled: done }: Moment,
  random: () => number,
  place: string,
): "damaged" | { readonly isPrefix: boolean; readonly lost: number } {
  const images = new Map([...durable].map(([name, image]) => [name, image.copy()]));
  // Mostly kept, mostly lost, or anything: each finds other faults.
  const kept = [0.1, 0.5, 0.9][Math.floor(random() * 3)] ?? 0.5;
  for (const step of pending) {
    const chance = random();
    if (!("name" in step) || chance > kept) continue;
    const isTorn = step.type === "write" && chance > kept * 0.8 && step.bytes.length > SECTOR;
    const sectors = isTorn ? 1 + Math.floor((random() * step.bytes.length) / SECTOR) : 0;
    apply(isTorn ? { ...step, bytes: step.bytes.subarray(0, sectors * SECTOR) } : step, images.get(step.name));
  }
  const file = join(place, "store.db");
  rmSync(`${file}-shm`, { force: true });
  for (const [name, image] of images) writeFileSync(join(place, name), image.bytes());
  return look(file, submitted, done);
}

function look(file: string, submitted: number, settledCount: number): ReturnType<typeof judge> {
  let database: DatabaseSync | undefined;
  try {
    database = new DatabaseSync(file);
    const check = database.prepare("pragma integrity_check").get()?.integrity_check;
    if (check !== "ok") return "damaged";
    const hasTables = database.prepare("select 1 from sqlite_schema where name = 'result'").get() !== undefined;
    const rows = hasTables
      ? database.prepare("select task_id, status, result.key from task left join result using (key) order by key").all()
      : [];
    const isPrefix = rows.every(
      ({ task_id, status, key }, at) =>
        task_id === `t${at}` && ((status === "succeeded" && key !== null) || at === rows.length - 1),
    );
    const ended = rows.filter(({ status }) => status === "succeeded").length;
    return { isPrefix, lost: Math.max(0, submitted - rows.length) + Math.max(0, settledCount - ended) };
  } catch {
    // Whatever cannot be read is counted as damaged.
    return "damaged";
  } finally {
    database?.close();
  }
}
