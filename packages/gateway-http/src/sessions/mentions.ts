/** Whether one of the texts has what is searched for in it, in any case. Pure. */
export function mentions(search: string, ...texts: (string | null)[]): boolean {
  const sought = fold(search);
  return texts.some((text) => text !== null && fold(text).includes(sought));
}

/** To upper case, because that makes more alike: ß and SS, both small sigmas. */
function fold(text: string): string {
  return text.normalize("NFC").toUpperCase();
}
