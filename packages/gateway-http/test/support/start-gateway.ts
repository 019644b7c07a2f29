import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { onTestFinished } from "vitest";
import { readEnvironment } from "../../src/config/env.ts";
import { parseConfig } from "../../src/config/parse.ts";
import { type ConfigInput, createGateway, type Gateway, type GatewayOptions } from "../../src/index.ts";

export const TOKEN = "test-token-0123456789";

export interface StartOptions {
  /** Merged over: any free port, endpoint on, token auth, silent log, a stream's head that waits for its first event. */
  config?: ConfigInput;
  agents?: GatewayOptions["agents"];
  /** Environment variables the gateway sees; nothing of the real ones. */
  variables?: Record<string, string>;
  /**
   * Where sessions are kept. A database takes a thread, and most tests are not about it.
   * @defaultValue "memory", or "sqlite" where a state folder is given
   */
  store?: "memory" | "sqlite";
  /** The state folder of another gateway; without it, a new one that is removed when the test ends. */
  stateDir?: string;
}

export interface StartedGateway {
  gateway: Gateway;
  url: string;
  port: number;
  stateDir: string;
  /** `fetch` of a path with the token; a body makes it a JSON POST. */
  request(
    path: string,
    options?: { body?: unknown; headers?: Record<string, string> } & Omit<RequestInit, "body" | "headers">,
  ): Promise<Response>;
}

/** A real gateway on a real port, closed and its state removed when the test ends. */
export async function startGateway({
  config = {},
  agents,
  variables = {},
  stateDir: givenStateDir,
  store = givenStateDir ? "sqlite" : "memory",
}: StartOptions = {}): Promise<StartedGateway> {
  const stateDir = givenStateDir ?? (await mkdtemp(join(tmpdir(), "openclaw-test-")));
  const env = readEnvironment({ HOME: stateDir, OPENCLAW_STATE_DIR: stateDir, ...variables });
  const merged = {
    logging: { level: "silent" },
    ...config,
    sessions: { store: { kind: store }, ...config.sessions },
    gateway: {
      port: 0,
      auth: { mode: "token", token: TOKEN },
      ...config.gateway,
      http: {
        // A failure is a status, however slow the machine: else the head goes out first, and it is a frame.
        commitAfterMs: 600_000,
        ...config.gateway?.http,
        endpoints: config.gateway?.http?.endpoints ?? { chatCompletions: { enabled: true } },
      },
    },
  } as ConfigInput;
  const loaded = {
    config: parseConfig(merged).config,
    path: undefined,
    modifiedAt: 1_764_000_000_000,
    notices: [],
    env,
  };
  const gateway = createGateway({ config: loaded, ...(agents && { agents }) });
  const { url, port } = await gateway.listen();
  onTestFinished(async () => {
    await gateway.close({ drainTimeoutMs: 0 });
    if (!givenStateDir) await rm(stateDir, { recursive: true, force: true });
  });
  return {
    gateway,
    url,
    port,
    stateDir,
    request: (path, { body, headers, ...init } = {}) =>
      fetch(`${url}${path}`, {
        ...init,
        ...(body !== undefined && { method: "POST", body: JSON.stringify(body) }),
        headers: {
          authorization: `Bearer ${TOKEN}`,
          ...(body !== undefined && { "content-type": "application/json" }),
          ...headers,
        },
      }),
  };
}
