/** What happened in one run, line by line. Two runs of one seed give the same lines, and so the same fingerprint. */
export class Trace {
  readonly lines: string[] = [];

  add(nowMs: number, line: string): void {
    this.lines.push(`${nowMs.toFixed(0).padStart(7)}  ${line}`);
  }

  last(count: number): readonly string[] {
    return this.lines.slice(-count);
  }

  /** FNV-1a over every character of every line. */
  fingerprint(): string {
    let low = 0x811c9dc5;
    let high = 0x1b873593;
    for (const line of this.lines) {
      for (let index = 0; index < line.length; index++) {
        const code = line.charCodeAt(index);
        low = Math.imul(low ^ code, 0x01000193);
        high = Math.imul(high ^ code, 0x85ebca6b);
      }
      low = Math.imul(low ^ 10, 0x01000193);
    }
    return (high >>> 0).toString(16).padStart(8, "0") + (low >>> 0).toString(16).padStart(8, "0");
  }
}
