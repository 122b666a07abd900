/** `backend_specialist_1` → `backend_specialist`; an id without a trailing `_<number>` is its own type. */
export function agentType(agentId: string): string {
  let end = agentId.length;
  while (end > 0 && isDigit(agentId.charCodeAt(end - 1))) end--;
  return end > 1 && end < agentId.length && agentId.charCodeAt(end - 1) === 95 /* _ */
    ? agentId.slice(0, end - 1)
    : agentId;
}

function isDigit(code: number): boolean {
  return code >= 48 && code <= 57;
}
