/** `task-k3f9x2a4-…`: 64 random bits in base 36, for an id that is made before anybody knows the process it will run in. */
export function randomId(prefix: string): string {
  return `${prefix}-${randomWord()}${randomWord()}`;
}

function randomWord(): string {
  return ((Math.random() * 4_294_967_296) >>> 0).toString(36).padStart(7, "0");
}
