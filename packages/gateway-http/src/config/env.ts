import { homedir } from "node:os";
import { join, resolve } from "node:path";
import { ConfigError } from "../errors/config-error.ts";
import type { Variables } from "./substitute.ts";

/** What the environment says about the gateway. */
export interface Environment {
  /** All variables, for `${UPPER_VAR}` in the config and for providers' keys. Never to be logged. */
  readonly variables: Variables;
  /** `OPENCLAW_HOME`, else the user's home. */
  readonly home: string;
  /** `OPENCLAW_STATE_DIR`, else `<home>/.openclaw`. */
  readonly stateDir: string;
  /** `OPENCLAW_CONFIG_PATH`, else `<stateDir>/openclaw.json`. */
  readonly configPath: string;
  /** Whether someone asked for this file, so that it has to be there. */
  readonly configPathIsExplicit: boolean;
  /** `OPENCLAW_GATEWAY_PORT`. Beats the config. */
  readonly port: number | undefined;
  /** `OPENCLAW_GATEWAY_TOKEN`. The config beats it. */
  readonly token: string | undefined;
  /** `OPENCLAW_GATEWAY_PASSWORD`. The config beats it. */
  readonly password: string | undefined;
}

/**
 * The one reader of `process.env`. A variable set to nothing counts as not set.
 *
 * @throws {@link ConfigError} for a port that is none.
 */
export function readEnvironment(variables: Variables = process.env): Environment {
  const read = (name: string): string | undefined => variables[name]?.trim() || undefined;
  const userHome = read("HOME") ?? read("USERPROFILE") ?? homedir();
  const home = toPath(read("OPENCLAW_HOME") ?? userHome, userHome);
  const stateDir = toPath(read("OPENCLAW_STATE_DIR") ?? join(home, ".openclaw"), home);
  const configPath = read("OPENCLAW_CONFIG_PATH");
  return {
    variables: { ...variables },
    home,
    stateDir,
    configPath: toPath(configPath ?? join(stateDir, "openclaw.json"), home),
    configPathIsExplicit: configPath !== undefined,
    port: readPort(read("OPENCLAW_GATEWAY_PORT")),
    token: readSecret("OPENCLAW_GATEWAY_TOKEN", read),
    password: readSecret("OPENCLAW_GATEWAY_PASSWORD", read),
  };
}

/** Shells do not expand `~` inside quotes or in unit files, so it is done here. */
function toPath(text: string, home: string): string {
  return resolve(/^~(?=$|[\\/])/.test(text) ? join(home, text.slice(1)) : text);
}

function readPort(text: string | undefined): number | undefined {
  if (text === undefined) return undefined;
  const port = Number(text);
  if (!/^\d{1,5}$/.test(text) || port > 65_535) {
    throw new ConfigError(`OPENCLAW_GATEWAY_PORT must be a port from 0 to 65535, not "${text}"`);
  }
  return port;
}

function readSecret(name: string, read: (name: string) => string | undefined): string | undefined {
  const secret = read(name);
  if (secret !== undefined && /\p{Cc}/u.test(secret)) {
    throw new ConfigError(`${name} holds a control character (a line break?), which no HTTP header can carry`);
  }
  return secret;
}
