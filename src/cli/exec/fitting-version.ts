/** Full function: their SQLite may be shared. */
export function isFitting(version: string): boolean {
  const [major = 0, minor = 0] = version.split(".").map(Number);
  return (major === 22 && minor >= 23) || (major === 24 && minor >= 15) || major >= 26;
}
