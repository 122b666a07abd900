import { BOUNDS } from "../core/bounds.ts";
import { type ErrorCode, type Fault, LockyardError } from "../core/errors.ts";

/** Collects everything wrong with an input, so that its author is told all at once. */
export class Faults {
  readonly #faults: Fault[] = [];
  readonly #subject: string;
  #code: ErrorCode | null = null;
  #count = 0;
  /** Place of the element that is being checked; -1 when the input is no list. */
  index = -1;

  /** `subject` names the input as its author wrote it: `calls`, `tasks`, `call`. */
  constructor(subject: string) {
    this.#subject = subject;
  }

  get isEmpty(): boolean {
    return this.#count === 0;
  }

  /** `calls[3].timeoutMs`. */
  where(path = ""): string {
    return this.index < 0 ? `${this.#subject}${path}` : `${this.#subject}[${this.index}]${path}`;
  }

  add(
    code: ErrorCode,
    fault: { readonly path?: string; readonly what: string; readonly hint?: string | undefined },
  ): void {
    const { path, what, hint } = fault;
    this.#keep(code, hint === undefined ? { where: this.where(path), what } : { where: this.where(path), what, hint });
  }

  /** Takes over what another check found; its places are below the element that is being checked. */
  adopt(thrown: LockyardError): void {
    if (thrown.faults.length === 0) this.add(thrown.code, { what: thrown.message, hint: thrown.hint });
    for (const fault of thrown.faults) this.#keep(thrown.code, { ...fault, where: this.where(`.${fault.where}`) });
  }

  /** Throws one error that lists every fault. Its code is theirs when they agree, else INVALID_TASK_CALL. */
  throwIfAny(): void {
    const first = this.#faults[0];
    if (first === undefined) return;
    const more = this.#count === 1 ? "" : ` (and ${this.#count - 1} more)`;
    throw new LockyardError(this.#code ?? "INVALID_TASK_CALL", `${first.where}: ${first.what}${more}.`, {
      hint: first.hint,
      faults: this.#faults,
    });
  }

  #keep(code: ErrorCode, fault: Fault): void {
    this.#code = this.#count === 0 || this.#code === code ? code : "INVALID_TASK_CALL";
    this.#count++;
    if (this.#faults.length < BOUNDS.faultsPerInput) this.#faults.push(fault);
  }
}
