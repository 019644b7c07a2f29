import { hash } from "node:crypto";
import { type ConfigPath, formatPath } from "./problem.ts";

/** What is put in the place of variables that are not set, for whoever only reads a config and does not run it. */
export interface StandIns {
  /** `undefined` when nothing fits there. No two places get the same: what is not known is nothing else's equal. */
  find(name: string, path: ConfigPath): string | undefined;
  /**
   * Puts something else in these places from now on.
   * @param paths as `formatPath` writes them; others than those of stand-ins are passed over
   * @returns whether that changed anything
   */
  exchange(paths: readonly string[]): boolean;
}

/** What a config's strings are made of. Most take the first. */
const KINDS: readonly ((place: number, name: string) => string)[] = [
  (place, name) => `unset-${place}-variable-${name.toLowerCase()}`,
  (place) => `https://unset-${place}.invalid`,
  (place) => `unset-${place}/model`,
  (place) => `sha256:${hash("sha256", `unset-${place}`, "hex")}`,
  () => "127.0.0.1",
  () => "9999-12-31",
  () => "1d",
];

export function createStandIns(): StandIns {
  const kinds = new Map<string, number>();
  let places = 0;
  return {
    find(name, path) {
      const at = formatPath(path);
      const kind = kinds.get(at) ?? 0;
      kinds.set(at, kind);
      return KINDS[kind]?.(places++, name);
    },
    exchange(paths) {
      const others = paths.filter((path) => (kinds.get(path) ?? KINDS.length) < KINDS.length);
      for (const path of others) kinds.set(path, (kinds.get(path) ?? 0) + 1);
      return others.length > 0;
    },
  };
}
