/** Names of the headers this API reads and writes, in lower case as Node and `fetch` report them. */
export const HEADERS = {
  /** Request: which agent answers; beats `model`. */
  agentId: "x-openclaw-agent-id",
  /** Request: older alias of {@link HEADERS.agentId}. */
  agent: "x-openclaw-agent",
  /** Request and response: the session, percent-encoded UTF-8. */
  sessionKey: "x-openclaw-session-key",
  /** Request: another model for this run, as `provider/model`. */
  model: "x-openclaw-model",
  /** Request: the channel the message came through, at most 64 of `[a-z0-9_-]`, told to the agent. */
  messageChannel: "x-openclaw-message-channel",
  /** Request: `1` adds the agent's own activity to the stream. */
  events: "x-openclaw-events",
  /** Request: a side task of a chat UI (title, tags); makes the request stateless. */
  task: "x-openclaw-task",
  /** Response: the run's id, which is the completion's id. */
  runId: "x-openclaw-run-id",
  /** Request and response: `[\w.:-]{1,128}`; the gateway makes one when absent or malformed. */
  requestId: "x-request-id",
  /** Response: `true` or `false`, obeyed by OpenAI's SDKs. */
  shouldRetry: "x-should-retry",
  /** Response: seconds. */
  retryAfter: "retry-after",
  /** Request: 1 to 255 visible ASCII characters; the same key and body again re-attaches to the run. */
  idempotencyKey: "idempotency-key",
  /** Response: `true` where a recorded answer was replayed. */
  idempotencyReplayed: "idempotency-replayed",
  /** Request, with an idempotency key: continue after this event, `<completion id>:<n>`. */
  lastEventId: "last-event-id",
} as const;
