/** A key of its own for each talk: the agent remembers what was said under it. */
export function createSessionKey(): string {
  // Not `randomUUID`: a page that came over plain HTTP from another machine does not have it.
  const bytes = crypto.getRandomValues(new Uint8Array(6));
  return `playground-${Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("")}`;
}
