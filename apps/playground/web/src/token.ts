const STORAGE_KEY = "openclaw-token";

type AddressBar = Pick<Location, "hash" | "pathname" | "search">;
type TokenStorage = Pick<Storage, "getItem" | "setItem" | "removeItem">;

/** The token of `#token=…`; `undefined` when the fragment has none. */
function tokenInFragment(hash: string): string | undefined {
  const encoded = /^#token=(.+)$/.exec(hash)?.[1];
  if (encoded === undefined) return undefined;
  try {
    return decodeURIComponent(encoded).trim() || undefined;
  } catch {
    // A token typed by hand may hold a bare %.
    return encoded.trim();
  }
}

/**
 * Takes the token out of the address, where history and screenshots would keep it, into this tab's storage. Call it
 * before any request.
 *
 * @returns the address's token, else the one kept from before
 */
export function takeToken(
  address: AddressBar,
  history: Pick<History, "replaceState">,
  storage: TokenStorage,
): string | undefined {
  const token = tokenInFragment(address.hash);
  if (address.hash.startsWith("#token=")) history.replaceState(null, "", address.pathname + address.search);
  if (token === undefined) return storage.getItem(STORAGE_KEY) ?? undefined;
  storage.setItem(STORAGE_KEY, token);
  return token;
}

export function keepToken(storage: TokenStorage, token: string | undefined): void {
  if (token === undefined) storage.removeItem(STORAGE_KEY);
  else storage.setItem(STORAGE_KEY, token);
}
