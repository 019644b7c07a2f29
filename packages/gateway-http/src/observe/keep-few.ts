/** Keeps the first `max` different names as they are; all others are "other". For labels that must stay few. */
export function keepFew(max: number): (name: string) => string {
  const names = new Set<string>();
  return (name) => {
    if (names.has(name)) return name;
    if (names.size >= max) return "other";
    names.add(name);
    return name;
  };
}
