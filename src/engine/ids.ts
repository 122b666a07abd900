import { randomId } from "../clock/random-id.ts";

/** Ids: a random part that tells processes apart, and a counter that tells what one process made apart. */

/** An id for a task call that is made before anybody knows the process it will run in. */
export function looseTaskId(): string {
  return randomId("task");
}

/** Six characters: one in two billion that two processes draw the same. */
export function randomPart(random: () => number): string {
  return Math.floor(random() * 36 ** 6)
    .toString(36)
    .padStart(6, "0");
}

export class IdSource {
  readonly #prefix: string;
  #count = 0;

  constructor(random: () => number) {
    this.#prefix = randomPart(random);
  }

  /** `task-k3f9x2-17`. */
  task(): string {
    return `task-${this.#prefix}-${++this.#count}`;
  }

  /** `backend_specialist_1-k3f9x2-1c`. */
  instance(agentId: string): string {
    return `${agentId}-${this.#prefix}-${(++this.#count).toString(36)}`;
  }
}
