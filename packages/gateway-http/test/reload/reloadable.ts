import { readEnvironment } from "../../src/config/env.ts";
import { parseConfig } from "../../src/config/parse.ts";
import type { ConfigInput, GatewayOptions } from "../../src/index.ts";
import { type StartedGateway, startGateway, TOKEN } from "../support/start-gateway.ts";

export const BOBS_TOKEN = "ock_bob_0123456789abcdef";

export const bob = (more: object = {}) => ({ id: "bob", token: BOBS_TOKEN, ...more });

/** Everything but what a test is about: any free port, endpoint on, the gateway's token, these keys, nothing on disk. */
export function configOf({ gateway, ...more }: ConfigInput = {}, ...keys: object[]): ConfigInput {
  return {
    logging: { level: "silent" },
    sessions: { store: { kind: "memory" } },
    ...more,
    gateway: {
      port: 0,
      ...gateway,
      auth: { mode: "token", token: TOKEN, keys, ...gateway?.auth } as never,
      http: { endpoints: { chatCompletions: { enabled: true } }, ...gateway?.http },
    },
  };
}

export interface Reloadable extends StartedGateway {
  /** Reloads. @returns what needs a restart */
  change(config: ConfigInput, modifiedAt?: number): Promise<string[]>;
  /** The headers of Bob's requests. */
  asBob: { authorization: string };
}

/** A real gateway whose config can be exchanged. */
export async function startReloadable(config: ConfigInput, agents?: GatewayOptions["agents"]): Promise<Reloadable> {
  const started = await startGateway({ config, ...(agents && { agents }) });
  const env = readEnvironment({ HOME: started.stateDir, OPENCLAW_STATE_DIR: started.stateDir });
  return {
    ...started,
    asBob: { authorization: `Bearer ${BOBS_TOKEN}` },
    async change(input, modifiedAt = 1_765_000_000_000) {
      const { config } = parseConfig(input);
      const { restart } = await started.gateway.reload({ config, env, modifiedAt, path: undefined, notices: [] });
      return restart;
    },
  };
}
