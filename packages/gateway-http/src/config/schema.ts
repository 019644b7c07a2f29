import { z } from "zod";
import { parseDuration } from "./duration.ts";
import { agentsSchema } from "./schema-agents.ts";
import { gatewaySchema } from "./schema-gateway.ts";
import { mcpSchema } from "./schema-mcp.ts";
import { modelsSchema } from "./schema-models.ts";
import { oneOf } from "./schema-values.ts";

export { DEMO_MODEL } from "./schema-agents.ts";

const sessionsSchema = z
  .strictObject({
    concurrency: z.enum(["queue", "reject", "interrupt"]).default("queue"),
    /** Runs that may wait in one session's lane. */
    maxQueued: z.int().min(0).max(10_000).default(8),
    clientHeaders: z
      .array(
        z
          .string()
          .trim()
          .toLowerCase()
          .regex(/^[\w!#$%&'*+.^`|~-]+$/, "must be a header name")
          // The value comes back in an answer's header.
          .refine((name) => !/^(?:proxy-)?authorization$|^cookie$/.test(name), "must not be a header with a secret"),
      )
      .default(["x-openwebui-chat-id"]),
    fromUser: z.boolean().default(true),
    /** Milliseconds in the output; a duration such as `30d` in the file. */
    pruneAfter: z.string().prefault("30d").transform(toMilliseconds),
    maxEntries: z.int().min(1).default(5000),
    store: z
      .strictObject({
        kind: oneOf(["sqlite", "memory"], ["postgres"]).default("sqlite"),
        /** What a power cut may take: nothing, or the last moments. The end of the process takes nothing either way. */
        sync: z.enum(["full", "normal"]).default("full"),
      })
      .prefault({}),
  })
  .prefault({});

const loggingSchema = z
  .strictObject({
    level: z.enum(["trace", "debug", "info", "warn", "error", "fatal", "silent"]).default("info"),
    /** Absent: pretty on a terminal, JSON elsewhere. */
    format: z.enum(["pretty", "json"]).optional(),
    /** What was asked and answered stands in the log, too. */
    content: z.boolean().default(false),
  })
  .prefault({});

/**
 * The keys this version enforces, strict: what it does not enforce never gets as far as being ignored. Keys that are
 * only known, and why, are in `known-keys.ts`.
 */
export const configSchema = z.strictObject({
  gateway: gatewaySchema,
  agents: agentsSchema,
  models: modelsSchema,
  mcp: mcpSchema,
  sessions: sessionsSchema,
  logging: loggingSchema,
});

/** The configuration with every default applied. Units are in the names; where they are not: `sessions.pruneAfter` is in milliseconds. */
export type Config = z.output<typeof configSchema>;

/** The configuration as a file or an embedder gives it: everything optional. */
export type ConfigInput = z.input<typeof configSchema>;

function toMilliseconds(text: string, context: z.RefinementCtx): number {
  const ms = parseDuration(text);
  if (ms !== undefined && ms > 0) return ms;
  context.addIssue({ code: "custom", message: "must be a duration such as 12h or 30d" });
  return z.NEVER;
}
