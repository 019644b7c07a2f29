type AddressBar = Pick<Location, "hash" | "pathname" | "search">;

/** The full key of `#session=…`; `undefined` when the fragment has none. */
export function sessionInAddress({ hash }: AddressBar): string | undefined {
  const encoded = /^#session=(.+)$/.exec(hash)?.[1];
  try {
    return encoded && decodeURIComponent(encoded);
  } catch {
    return undefined;
  }
}

/** The address of this page with a session open, without the token. */
export function toAddress({ pathname, search }: AddressBar, sessionId: string | undefined): string {
  // Colons as they are: a person reads it.
  const key = sessionId && encodeURIComponent(sessionId).replaceAll("%3A", ":");
  return `${pathname}${search}${key === undefined ? "" : `#session=${key}`}`;
}
