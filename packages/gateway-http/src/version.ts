import { readFileSync } from "node:fs";

/** The package's version. One folder up from the built file, and from its source. */
export const VERSION: string = (() => {
  try {
    const { name, version } = JSON.parse(readFileSync(new URL("../package.json", import.meta.url), "utf8"));
    if (name === "@openclaw/gateway-http") return version;
  } catch {
    // Bundled into something else.
  }
  return "unknown";
})();
