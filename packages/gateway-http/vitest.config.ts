import { mergeConfig } from "vitest/config";
import shared from "../../vitest.shared.ts";

const config = mergeConfig(shared, { test: { name: "gateway-http" } });

// Packages as Node finds them: what some have under "module" only a bundler can load.
config.ssr.resolve.conditions = config.ssr.resolve.conditions.filter((name: string) => name !== "module");

export default config;
