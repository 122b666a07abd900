/**
 * How deep a YAML text nests, measured on its tokens before anything is built from them: the parser is slow and the
 * composer recursive on `[[[[…` and `- - - -…`.
 *
 * Counted are open flow brackets, and columns of block collections that lie inside one another. A mapping and a sequence
 * at one column count once, so the measure may be half of what a person would count; it bounds the recursion all the same.
 */
export class NestingMeter {
  /** Where in the text the limit was passed. */
  offset = 0;
  readonly #limit: number;
  readonly #columns: number[] = [];
  #flow = 0;
  #column = 0;
  /** Nothing but indicators (`- ? :`) since the line began: what comes next may open a block collection. */
  #opensBlock = true;
  #isScalarText = false;
  /** Anchors and tags in a row: one node has one of each, and the parser is slow at refusing more. */
  #properties = 0;

  constructor(limit: number) {
    this.#limit = limit;
  }

  /** Takes the next token; false when the limit is passed with it. */
  accepts(lexeme: string, type: string | null): boolean {
    if (this.#isScalarText) {
      this.#isScalarText = false;
      this.#advance(lexeme);
      return true;
    }
    if (type === "scalar") this.#isScalarText = true;
    if (type === "scalar" || type === "flow-error-end" || type === "doc-mode" || type === "byte-order-mark") {
      if (type === "scalar") this.#note(false);
      this.#properties = 0;
      return this.#depth <= this.#limit;
    }
    switch (type) {
      case "newline":
        this.#opensBlock = true;
        break;
      case "space":
      case "comment":
      case null:
        break;
      case "flow-map-start":
      case "flow-seq-start":
        this.#properties = 0;
        this.#note(false);
        this.#flow += 1;
        break;
      case "flow-map-end":
      case "flow-seq-end":
        this.#flow = Math.max(0, this.#flow - 1);
        break;
      case "anchor":
      case "tag":
        this.#properties += 1;
        this.#note(false);
        break;
      default:
        this.#properties = 0;
        this.#note(type === "seq-item-ind" || type === "explicit-key-ind" || type === "map-value-ind");
    }
    const isWithin = this.#depth <= this.#limit;
    if (isWithin) this.#advance(lexeme);
    return isWithin;
  }

  get #depth(): number {
    return this.#columns.length + this.#flow + this.#properties;
  }

  #note(isIndicator: boolean): void {
    if (this.#flow > 0) return;
    if (this.#opensBlock) {
      while ((this.#columns.at(-1) ?? -1) >= this.#column) this.#columns.pop();
      this.#columns.push(this.#column);
    }
    this.#opensBlock = isIndicator;
  }

  #advance(lexeme: string): void {
    this.offset += lexeme.length;
    const newline = lexeme.lastIndexOf("\n");
    this.#column = newline < 0 ? this.#column + lexeme.length : lexeme.length - newline - 1;
  }
}
