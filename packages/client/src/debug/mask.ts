import { isSecret } from "../secrets.ts";

/** Fewer characters may be any word: only credentials are masked at any length. */
const MIN_LENGTH = 8;

/** Hides what these headers hold wherever it occurs: a proxy's page may show them. */
export function createMask(headers: Iterable<[name: string, value: string]>): (text: string) => string {
  const secrets = [...headers]
    .flatMap(([name, value]) => (isSecret(name) ? toSecrets(value) : []))
    .flatMap((secret) => [secret, JSON.stringify(secret).slice(1, -1), encodeURIComponent(secret)])
    // The longest first: one may be part of another.
    .sort((a, b) => b.length - a.length);
  return (text) => secrets.reduce((masked, secret) => masked.replaceAll(secret, "***"), text);
}

/** What comes after a scheme, however short; the value, and its parts: those of cookies, for one. */
function toSecrets(value: string): string[] {
  const [, credential = ""] = /^\w+ +([^;]+)$/.exec(value) ?? [];
  return [credential, value, ...value.split(/[\s,;=]+/)].filter((part, n) => part.length >= (n ? MIN_LENGTH : 1));
}
