/** Headers whose values give access, or say whose. `…-tokens` are numbers. */
const SECRET_HEADER = /auth|cookie|secret|key|token(?!s)|jwt|assert|pass|cred|sign|session/i;

export function isSecret(name: string): boolean {
  return SECRET_HEADER.test(name);
}
