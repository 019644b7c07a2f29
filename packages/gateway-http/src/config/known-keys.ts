import { configSchema } from "./schema.ts";
import { schemaPaths } from "./schema-paths.ts";

/** A table of keys: where they stand, and their names separated by blanks. `*` is any index or id. */
type KeyTable = Readonly<Record<string, string>>;

/** OpenClaw's keys that this gateway does not serve. They are passed over, so that an OpenClaw config works here. */
const PASSED_OVER: KeyTable = {
  "": `$schema acp approvals audio auth bindings broadcast browser canvasHost channels cli commands crestodian cron
    diagnostics discovery env hooks identity media memory messages meta nodeHost plugins proxy secrets session skills
    surfaces talk tools ui update vault web wizard`,
  gateway: `allowRealIpFallback channelHealthCheckMinutes channelMaxRestartsPerHour channelStaleEventThresholdMinutes
    controlUi mode nodes push reload remote tailscale tools webchat`,
  "gateway.auth": "allowTailscale",
  "gateway.http.endpoints": "responses",
  "gateway.http.endpoints.chatCompletions": "maxBodyBytes maxImageParts maxTotalImageBytes",
  "agents.defaults": `additionalSystemPrompt blockStreamingBreak blockStreamingChunk blockStreamingCoalesce
    blockStreamingDefault bootstrapMaxChars bootstrapPromptTruncationWarning bootstrapTotalMaxChars cliBackends
    compaction contextInjection contextLimits contextPruning contextTokens elevatedDefault embeddedAgent embeddedPi
    envelopeElapsed envelopeTimestamp envelopeTimezone experimental fastModeDefault groupChat heartbeat humanDelay
    identity imageGenerationModel imageMaxDimensionPx imageModel maxConcurrent mediaMaxMb memory memorySearch
    modelPolicy models pdfMaxBytesMb pdfMaxPages pdfModel reasoningDefault repoRoot sandbox skills skillsLimits
    skipBootstrap subagents thinkingDefault timeFormat toolProgressDetail tts typingIntervalSeconds typingMode
    userTimezone utilityModel verboseDefault workspace`,
  "agents.list.*": `agentDir bootstrapMaxChars bootstrapTotalMaxChars contextInjection contextLimits contextTokens
    embeddedAgent experimental fastModeDefault groupChat heartbeat humanDelay identity memory memorySearch modelPolicy
    models plugins reasoningDefault runtime sandbox skills skillsLimits subagents thinkingDefault toolProgressDetail
    tts typingIntervalSeconds typingMode utilityModel verboseDefault workspace`,
  mcp: "sessionIdleTtlMs",
  models: "bedrockDiscovery mode pricing",
  "models.providers.*": "auth authHeader injectNumCtxForOpenAICompat",
  "models.providers.*.models.*": "compat cost maxTokens name reasoning",
  logging: "consoleLevel consoleStyle file maxFileBytes redactPatterns redactSensitive",
};

/**
 * Keys whose effect someone would count on (a limit, a permission, a route) and that this version does not have.
 * Passing them over would promise what is not kept.
 */
const REFUSED: KeyTable = {
  "": "$include",
  "gateway.tls": "autoGenerate caPath",
  "agents.defaults": "runner",
  "agents.defaults.tools": "alsoAllow byProvider elevated exec fs loopDetection profile sandbox",
  "agents.list.*": "runner",
  "agents.list.*.tools": "alsoAllow byProvider elevated exec fs loopDetection profile sandbox",
  "mcp.servers.*": `auth connectionTimeoutMs cwd disabled enabled oauth timeout toolFilter transport type
    workingDirectory`,
  models: "proxy",
  "models.providers.*.models.*": "api headers",
};

export type KeyKind = "passed-over" | "refused";

const kinds = new Map<string, KeyKind>([
  ...paths(PASSED_OVER).map((path) => [path, "passed-over"] as const),
  ...paths(REFUSED).map((path) => [path, "refused"] as const),
]);

/** What is known of a key that is not served, by its pattern: `agents.list.*.tools`. */
export function kindOfKey(pattern: string): KeyKind | undefined {
  return kinds.get(pattern);
}

/** Keyed by what their users choose, so that a key there stands for any. */
const KEYED = new Set(["agents.entries", "mcp.servers", "models.providers"]);

/** The pattern of `key` under the pattern `parent`. `agents.entries` is read like `agents.list`. */
export function patternOf(parent: string, key: string | number): string {
  if (parent === "agents.entries") return "agents.list.*";
  if (typeof key === "number" || KEYED.has(parent)) return `${parent}.*`;
  return parent === "" ? key : `${parent}.${key}`;
}

interface KnownPatterns {
  readonly served: readonly string[];
  readonly others: readonly string[];
}

let known: KnownPatterns | undefined;

/** Patterns of every key this version knows, split into those it serves and the rest. Made when first asked for: only a wrong config needs them. */
export function knownPatterns(): KnownPatterns {
  known ??= { served: schemaPaths(configSchema), others: ["agents.entries", ...kinds.keys()] };
  return known;
}

function paths(table: KeyTable): string[] {
  return Object.entries(table).flatMap(([parent, names]) =>
    names.split(/\s+/).map((name) => (parent === "" ? name : `${parent}.${name}`)),
  );
}
