import { readFileSync } from "node:fs";

/** The package's version. One folder up from the built file and two from its source. */
export const VERSION: string = (() => {
  for (const path of ["../package.json", "../../package.json"]) {
    try {
      const { name, version } = JSON.parse(readFileSync(new URL(path, import.meta.url), "utf8"));
      if (name === "@openclaw/gateway-http") return version;
    } catch {
      // The other one, then.
    }
  }
  return "unknown";
})();
