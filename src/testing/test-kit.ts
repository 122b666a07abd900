/** What a contract suite needs of a test runner. Vitest's own functions fit; so do those of others. */
export interface TestKit {
  readonly describe: (name: string, define: () => void) => unknown;
  readonly it: (name: string, run: () => void | Promise<void>) => unknown;
  readonly expect: (
    value: unknown,
    message?: string,
  ) => {
    toBe(expected: unknown): void;
    toEqual(expected: unknown): void;
    toBeGreaterThan(expected: number): void;
  };
}
