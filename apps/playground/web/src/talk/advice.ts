/** What went wrong in few words, and what a person can do about it. */
export interface Advice {
  readonly title: string;
  readonly advice: string;
}

const LOOK_IN_LOG = "The gateway's log has more under the request id.";
const PROVIDER_CHECK = "Look at the provider's entry under models.providers in the gateway's config.";

/** By the error codes of the API. A code without an entry shows the gateway's own words. */
export const ADVICE: Readonly<Record<string, Advice>> = {
  invalid_api_key: {
    title: "The gateway does not know this token",
    advice: "Take the one it was started with: it names the token's file when it starts.",
  },
  too_many_failed_attempts: {
    title: "Too many wrong tokens",
    advice: "The gateway waits a while now. Look the right token up in the meantime.",
  },
  host_not_allowed: {
    title: "The gateway does not serve this address",
    advice: "Open it by IP address or localhost, or add the name to gateway.http.hosts.",
  },
  origin_not_allowed: {
    title: "The gateway does not serve this page",
    advice: "Without auth it only answers its own page. Open the address it printed when it started.",
  },
  model_not_found: {
    title: "There is no such agent",
    advice: "Choose another one above, or add it to agents.list in the gateway's config.",
  },
  endpoint_disabled: {
    title: "The endpoint is off",
    advice: "Set gateway.http.endpoints.chatCompletions.enabled to true and start the gateway again.",
  },
  not_found: { title: "This is not there any more", advice: "Somebody deleted it, or it was another token's." },
  session_busy: {
    title: "This talk is still answering",
    advice: "Wait for the answer before, or start a new talk.",
  },
  queue_full: { title: "Too many wait in this talk", advice: "Wait for the answers before, or start a new talk." },
  run_timeout: {
    title: "The agent took too long",
    advice: "Ask for less at once, or raise timeoutSeconds of this agent.",
  },
  provider_auth: {
    title: "The model's provider refused the gateway",
    advice: `Its key or account is not good. Set the provider's key, for example OPENAI_API_KEY, where the gateway runs, and start it again. ${PROVIDER_CHECK}`,
  },
  provider_model_not_found: {
    title: "The provider does not have this model",
    advice: "Correct the agent's model in the gateway's config.",
  },
  provider_unreachable: {
    title: "The model's provider cannot be reached",
    advice: `Is it running, and is its address right? ${PROVIDER_CHECK}`,
  },
  provider_rate_limited: { title: "The provider's rate limit is reached", advice: "Wait a moment, then send again." },
  provider_overloaded: { title: "The provider is overloaded", advice: "Wait a moment, then send again." },
  provider_timeout: { title: "The provider said nothing for too long", advice: "Send again, or try another model." },
  provider_bad_response: {
    title: "The provider's answer was broken",
    advice: "What came is shown. Send again.",
  },
  provider_error: { title: "The provider reported an error", advice: LOOK_IN_LOG },
  context_length_exceeded: {
    title: "This talk is too long for the model",
    advice: "Start a new talk, or choose an agent with a larger context.",
  },
  content_filter: { title: "The provider refused this message", advice: "Say it in other words." },
  gateway_draining: { title: "The gateway is shutting down", advice: "Start it again, then send again." },
  internal_error: { title: "Something broke in the gateway or the agent", advice: LOOK_IN_LOG },
};

/** Of failures without an answer of the gateway, by the client's error names. */
export const CONNECTION_ADVICE: Readonly<Record<string, Advice>> = {
  ConnectionError: {
    title: "The gateway cannot be reached",
    advice: "Is it still running? Start it, then try again.",
  },
  TimeoutError: { title: "The gateway did not answer in time", advice: "Try again; its log may tell more." },
  StreamTruncatedError: {
    title: "The answer was cut off",
    advice: "The connection broke before the end, so what you see is not whole. Send again.",
  },
};
