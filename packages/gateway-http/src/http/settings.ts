import type { AgentRegistry } from "../agents/registry.ts";
import type { Config } from "../config/schema.ts";

/** What requests are answered by. A reload puts another in its place; a request takes one and keeps it. */
export interface Settings {
  readonly config: Config;
  readonly agents: AgentRegistry;
  /** Unix time in seconds: when the configuration last changed. */
  readonly created: number;
}

/** Those of now. */
export type CurrentSettings = () => Settings;
