// Runs in a thread: a module that exports `run(task, ctx)`. Counts primes by trial division, which is nothing but work.
export function run(task: { contextData: { from: number; to: number } }): number {
  const { from, to } = task.contextData;
  let count = 0;
  for (let candidate = Math.max(from, 2); candidate < to; candidate++) if (isPrime(candidate)) count++;
  return count;
}

function isPrime(candidate: number): boolean {
  for (let divisor = 2; divisor * divisor <= candidate; divisor++) if (candidate % divisor === 0) return false;
  return true;
}
