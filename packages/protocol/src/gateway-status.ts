import { z } from "zod";

/** What `GET /status` answers: how the gateway is, for whoever runs it. */
export const gatewayStatusSchema = z.looseObject({
  object: z.literal("gateway.status"),
  version: z.string(),
  pid: z.int(),
  /** Unix time in seconds. */
  started_at: z.int(),
  uptime_seconds: z.int(),
  /** Only a `ready` one takes new runs with all it has. */
  state: z.enum(["ready", "starting", "draining"]),
  endpoints: z.looseObject({ chat_completions: z.boolean() }),
  agents: z.array(
    z.looseObject({
      id: z.string(),
      /** `provider/model`; `null` where the agent is code. */
      model: z.string().nullable(),
      default: z.boolean(),
    }),
  ),
  runs: z.looseObject({
    /** Under way, without those that wait. */
    active: z.int(),
    /** Those that wait for one of all to end. */
    queued: z.int(),
    /** How many may be under way at a time. */
    cap: z.int(),
  }),
  /** Sessions with a run under way, and runs that wait for their session's turn. */
  lanes: z.looseObject({ busy: z.int(), waiting: z.int() }),
  streams: z.looseObject({ open: z.int() }),
  /** WebSockets, those too that have not said hello. */
  sockets: z.looseObject({ open: z.int() }),
  mcp_servers: z.array(z.looseObject({ name: z.string(), state: z.enum(["up", "down"]), tools: z.int() })),
  config: z.looseObject({
    /** The file; `null` when there is none. */
    path: z.string().nullable(),
    /** Unix time in seconds; `null` before the first reload. */
    reloaded_at: z.int().nullable(),
    /** Keys whose new values need a restart. */
    restart_needed: z.array(z.string()),
  }),
  memory: z.looseObject({ rss_bytes: z.int(), heap_used_bytes: z.int() }),
});

export type GatewayStatus = z.infer<typeof gatewayStatusSchema>;
