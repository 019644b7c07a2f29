/** Headers whose values give access, or say whose. `…-tokens` are numbers. */
const SECRET_HEADER = /auth|cookie|secret|key|token(?!s)/i;

/** Fewer characters may be any word: only credentials are masked at any length. */
const MIN_LENGTH = 8;

export function isSecret(name: string): boolean {
  return SECRET_HEADER.test(name);
}

/** Hides what the headers hold wherever it occurs: a proxy's page may show them. */
export function createMask(headers: Headers): (text: string) => string {
  const secrets = [...headers].filter(([name]) => isSecret(name)).flatMap(([name, value]) => toSecrets(name, value));
  const written = secrets.flatMap((secret) => [
    secret,
    JSON.stringify(secret).slice(1, -1),
    encodeURIComponent(secret),
  ]);
  // The longest first: one may be part of another.
  const all = [...new Set(written)].sort((a, b) => b.length - a.length);
  return (text) => all.reduce((masked, secret) => masked.replaceAll(secret, "***"), text);
}

/** The value, and its parts: the token after its scheme, the values of cookies. */
function toSecrets(name: string, value: string): string[] {
  const credential = /authorization$/i.test(name) ? value.replace(/^\S+\s+/, "") : "";
  const parts = [value, ...value.split(/[\s,;=]+/)].filter((part) => part.length >= MIN_LENGTH);
  return credential ? [credential, ...parts] : parts;
}
