/** Shorter than this a secret is no secret, and taking it out of a text would only garble it. */
const MIN_LENGTH = 4;

/** Secrets of earlier configs that are remembered: what ran by them is over long before. */
const MAX_OLD = 200;

/** A redactor that learns: what was a secret once may still come up in a late error. */
export interface Redactor {
  redact(text: string): string;
  add(secrets: readonly string[]): void;
}

export function createGrowingRedactor(): Redactor {
  const known = new Set<string>();
  /** Made when it is needed: to take many secrets at once into one pattern takes a while. */
  let redact: ((text: string) => string) | undefined;
  return {
    redact(text) {
      redact ??= createRedactor([...known]);
      return redact(text);
    },
    add(secrets) {
      // The last to be added are the last to be forgotten: a Set keeps the order of insertion.
      const isNew = secrets.some((secret) => !known.has(secret));
      for (const secret of secrets) {
        known.delete(secret);
        known.add(secret);
      }
      if (!isNew) return;
      for (const oldest of known) {
        if (known.size <= secrets.length + MAX_OLD) break;
        known.delete(oldest);
      }
      redact = undefined;
    },
  };
}

/**
 * Makes a function that replaces every one of `secrets` in a text by `***`, also where it stands URL-encoded or inside
 * a JSON string. Given `Bearer <token>` it knows the bare token too.
 */
export function createRedactor(secrets: readonly string[]): (text: string) => string {
  const forms = [...new Set(secrets.flatMap(formsOf))]
    .filter((form) => form.length >= MIN_LENGTH)
    // A secret can be the beginning of another one: the longer goes first, or its end would be left over.
    .sort((a, b) => b.length - a.length);
  if (forms.length === 0) return (text) => text;
  const pattern = new RegExp(forms.map(escapeForRegExp).join("|"), "g");

  return (text) => {
    let before = text;
    // Again until nothing is found: what is left around `***` can spell a secret that has asterisks in it. It ends,
    // because every replacement is shorter than what it replaces.
    for (;;) {
      const after = before.replace(pattern, "***");
      if (after === before) return after;
      before = after;
    }
  };
}

function formsOf(secret: string): string[] {
  const bare = secret.replace(/^bearer\s+/i, "");
  return [secret, bare].flatMap((text) => {
    const inJson = JSON.stringify(text).slice(1, -1);
    return [text, inJson, inJson.replaceAll("/", "\\/"), ...urlForms(text)];
  });
}

/** Percent-encoding has upper and lower case digits, and two ways to write a space. */
function urlForms(text: string): string[] {
  const encoded = encodeURIComponent(text.toWellFormed());
  const lower = encoded.replace(/%[0-9A-F]{2}/g, (code) => code.toLowerCase());
  return [encoded, lower, encoded.replaceAll("%20", "+"), new URLSearchParams([["", text]]).toString().slice(1)];
}

function escapeForRegExp(text: string): string {
  return text.replace(/[\\^$.*+?()[\]{}|/-]/g, "\\$&");
}
