import { hash } from "node:crypto";
import { renameSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

export const KEYS = {
  /** May do what a key may by itself. */
  ann: "soak-key-ann-0123456789abcdef",
  /** Runs into its limits. */
  busy: "soak-key-busy-0123456789abcdef",
} as const;

export const RESUME_MS = 30_000;
export const SLOW_CLIENT_MS = 8000;
const PROVIDER_SILENCE_SECONDS = 4;

/** tcpmux: nobody listens there. A port that was free a moment ago may be somebody's by now. */
const NOBODY = 1;

const TOOL_SERVER = fileURLToPath(new URL("../tool-server.ts", import.meta.url));

/** A token of a key that comes and goes. */
export function passingToken(generation: number): string {
  return `soak-key-passing-${generation}-0123456789abcdef`;
}

/** The config file and its generations: with each one a key goes, another comes, and agents change. */
export class ConfigFile {
  readonly path: string;
  readonly #provider: number;
  #generation = 0;

  constructor(folder: string, provider: number) {
    this.path = join(folder, "openclaw.json");
    this.#provider = provider;
    this.#write(this.#toText());
  }

  get generation(): number {
    return this.#generation;
  }

  /** The next generation, in place at once. */
  advance(): void {
    this.#generation++;
    this.#write(this.#toText());
  }

  /** Half a file, as an editor may leave it for a moment. */
  spoil(): void {
    const text = this.#toText();
    this.#write(text.slice(0, text.length / 2));
  }

  mend(): void {
    this.#write(this.#toText());
  }

  #write(text: string): void {
    writeFileSync(`${this.path}.new`, text, { mode: 0o600 });
    renameSync(`${this.path}.new`, this.path);
  }

  #toText(): string {
    const generation = this.#generation;
    const hashed = (token: string) => `sha256:${hash("sha256", token, "hex")}`;
    return JSON.stringify({
      gateway: {
        auth: {
          keys: [
            { id: "ann", tokenHash: hashed(KEYS.ann) },
            { id: "busy", tokenHash: hashed(KEYS.busy), limits: { requestsPerMinute: 120, concurrentRuns: 20 } },
            { id: `passing-${generation}`, tokenHash: hashed(passingToken(generation)), agents: ["main"] },
          ],
        },
        http: {
          endpoints: { chatCompletions: { enabled: true } },
          keepAliveMs: 2000,
          slowClientMs: SLOW_CLIENT_MS,
          resumeWindowMs: RESUME_MS,
        },
      },
      agents: {
        list: [
          { id: "main", default: true, model: "standin/bench", instructions: "You are terse.", tools: { allow: [] } },
          { id: "handy", model: "standin/bench", tools: { allow: ["bench__*"] } },
          { id: "refused", model: "nobody/bench", tools: { allow: [] } },
          { id: `changing-${generation % 3}`, model: "standin/bench", instructions: `Generation ${generation}.` },
        ],
      },
      models: {
        providers: {
          standin: {
            baseUrl: `http://127.0.0.1:${this.#provider}/v1`,
            apiKey: "soak-provider-key",
            timeoutSeconds: PROVIDER_SILENCE_SECONDS,
          },
          nobody: { baseUrl: `http://127.0.0.1:${NOBODY}/v1`, apiKey: "soak-provider-key" },
        },
      },
      mcp: { servers: { bench: { command: process.execPath, args: [TOOL_SERVER] } } },
      // Requests too: a refusal before a run is found in the log by its request's id.
      logging: { level: "debug", format: "json" },
    });
  }
}
