// biome-ignore-all lint/suspicious/noTemplateCurlyInString: ${…} is the config file's own syntax.
import fc from "fast-check";
import { expect, test } from "vitest";
import { parseConfig } from "../../src/config/parse.ts";
import { ConfigError } from "../../src/errors/config-error.ts";
import { problems } from "./problems.ts";

const parse = (input: unknown) => parseConfig(input).config;

test("an empty config has every default", () => {
  expect(parseConfig({})).toEqual({
    notices: [],
    config: {
      gateway: {
        port: 18789,
        bind: "loopback",
        auth: {
          keys: [],
          rateLimit: { maxAttempts: 10, windowMs: 60_000, lockoutMs: 300_000, exemptLoopback: true },
        },
        trustedProxies: [],
        limits: { concurrentRuns: 4096, queuedRuns: 256, queueTimeoutMs: 10_000 },
        http: {
          endpoints: {
            chatCompletions: {
              enabled: false,
              images: {
                allowUrl: false,
                urlAllowlist: [],
                allowedMimes: ["image/png", "image/jpeg", "image/gif", "image/webp"],
                maxBytes: 10 * 1024 * 1024,
                maxRedirects: 3,
                timeoutMs: 10_000,
              },
            },
          },
          keepAliveMs: 15_000,
          commitAfterMs: 1000,
          slowClientMs: 60_000,
          resumeWindowMs: 30_000,
          hosts: [],
          cors: { origins: [] },
          securityHeaders: { strictTransportSecurity: false },
        },
      },
      agents: {
        defaults: {
          model: "demo",
          fallbacks: [],
          timeoutSeconds: 600,
          params: {},
          exposeReasoning: false,
          tools: {},
          maxSteps: 20,
        },
        list: [],
      },
      models: { providers: {} },
      mcp: { servers: {} },
      sessions: {
        concurrency: "queue",
        maxQueued: 8,
        clientHeaders: ["x-openwebui-chat-id"],
        fromUser: true,
        pruneAfter: 30 * 24 * 3_600_000,
        maxEntries: 5000,
        store: { kind: "sqlite", sync: "full" },
      },
      logging: { level: "info", content: false },
    },
  });
});

test("the seed's example switches the endpoint on", () => {
  const config = parse({ gateway: { http: { endpoints: { chatCompletions: { enabled: true } } } } });
  expect(config.gateway.http.endpoints.chatCompletions.enabled).toBe(true);
});

test("an agent takes from agents.defaults what it leaves out, and adds its own params", () => {
  const { list } = parse({
    agents: {
      defaults: {
        model: "openai/gpt-4o",
        timeoutSeconds: 60,
        instructions: "Be brief.",
        params: { temperature: 1, seed: 1 },
      },
      list: [{ id: "Main" }, { id: "beta", model: { primary: "ollama/x", fallbacks: [] }, params: { seed: 2 } }],
    },
  }).agents;
  expect(list[0]).toMatchObject({
    id: "main",
    model: "openai/gpt-4o",
    timeoutSeconds: 60,
    instructions: "Be brief.",
    params: { temperature: 1, seed: 1 },
    exposeReasoning: false,
    aliases: [],
    default: false,
  });
  expect(list[1]).toMatchObject({ model: "ollama/x", params: { temperature: 1, seed: 2 } });
});

test("aliases are trimmed, lower-cased and told once", () => {
  expect(parse({ agents: { list: [{ id: "a", aliases: [" GPT-4o ", "gpt-4o"] }] } }).agents.list[0]?.aliases).toEqual([
    "gpt-4o",
  ]);
});

test.each([
  [[{ id: "a" }, { id: "A" }], 'agents.list[1].id: another agent is called "a" too'],
  [
    [
      { id: "a", default: true },
      { id: "b", default: true },
    ],
    'agents.list[1].default: "a" is the default agent already',
  ],
  [
    [
      { id: "a", aliases: ["x"] },
      { id: "b", aliases: ["X"] },
    ],
    'agents.list[1].aliases[0]: "x" is an alias of "a" already',
  ],
  [[{ id: "a", aliases: ["openclaw:b"] }], 'agents.list[0].aliases[0]: "openclaw:b" already names an agent by itself'],
  [[{ id: "a", aliases: ["OpenClaw"] }], 'agents.list[0].aliases[0]: "openclaw" already names an agent by itself'],
  [[{ id: "default" }], /^agents\.list\[0\]\.id: must be 1 to 64/],
  [[{ id: "a b" }], /^agents\.list\[0\]\.id: must be 1 to 64/],
  [[{}], "agents.list[0].id: required"],
  [[{ id: "a", model: "gpt-4o" }], /^agents\.list\[0\]\.model: must be "provider\/model"/],
  [[{ id: "a", model: { primary: "gpt-4o" } }], /^agents\.list\[0\]\.model\.primary: must be "provider\/model"/],
  [[{ id: "a", model: 3 }], /^agents\.list\[0\]\.model: must be "provider\/model"/],
  [[{ id: "a", params: { top_p: Number.NaN } }], "agents.list[0].params.top_p: must be JSON"],
  [[{ id: "a", model: {} }], "agents.list[0].model.primary: required"],
  [[{ id: "a", params: { stream: false } }], "agents.list[0].params.stream: set by the gateway itself"],
  [
    [{ id: "a", exposeReasoning: true }],
    'agents.list[0].exposeReasoning: expected false, "reasoning_content" or "reasoning"',
  ],
])("agents %j are refused", (list, message) => {
  expect(problems({ agents: { list } })).toEqual([
    typeof message === "string" ? message : expect.stringMatching(message),
  ]);
});

test.each([
  [
    { gateway: { tls: { certPath: "c", keyPath: "k", autoGenerate: true } } },
    "gateway.tls.autoGenerate: not supported by this version",
  ],
  [{ gateway: { bind: "tailnet" } }, 'gateway.bind: "tailnet" is not supported by this version'],
  [{ agents: { defaults: { runner: "x" } } }, "agents.defaults.runner: not supported by this version"],
  [{ agents: { list: [{ id: "a", runner: "x" }] } }, "agents.list[0].runner: not supported by this version"],
  [{ agents: { entries: { a: { runner: "x" } } } }, "agents.entries.a.runner: not supported by this version"],
  [
    { models: { providers: { a: { api: "azure-openai-responses" } } } },
    'models.providers.a.api: "azure-openai-responses" is not supported by this version',
  ],
  [{ $include: "./other.json5" }, "$include: not supported by this version"],
  [{ sessions: { store: { kind: "postgres" } } }, 'sessions.store.kind: "postgres" is not supported by this version'],
])("what this version does not enforce is refused: %j", (input, message) => {
  expect(problems(input)).toEqual([message]);
});

test("keys of OpenClaw's are passed over with one notice for each kind", () => {
  const { config, notices } = parseConfig({
    $schema: "x",
    channels: { telegram: { botToken: "secret" } },
    gateway: { mode: "local", controlUi: { enabled: true }, port: 1234, auth: { allowTailscale: true } },
    agents: {
      defaults: { workspace: "~/x" },
      list: [
        { id: "a", workspace: "1" },
        { id: "b", workspace: "2" },
      ],
    },
    models: { mode: "merge", providers: { a: { authHeader: true, models: [{ id: "m", cost: { input: 1 } }] } } },
  });
  expect(config.gateway.port).toBe(1234);
  expect(config.models.providers.a?.models).toEqual([{ id: "m" }]);
  expect(notices).toEqual(
    [
      "$schema",
      "channels",
      "gateway.mode",
      "gateway.controlUi",
      "gateway.auth.allowTailscale",
      "agents.defaults.workspace",
      "agents.list[0].workspace and 1 more like it",
      "models.mode",
      "models.providers.a.authHeader",
      "models.providers.a.models[0].cost",
    ].map((place) => `${place}: not served by this gateway, passed over`),
  );
});

test.each([
  [{ gateway: { prot: 1 } }, "gateway.prot: unknown key; did you mean gateway.port?"],
  [{ port: 1 }, "port: unknown key; did you mean gateway.port?"],
  [{ gateway: { token: "x" } }, "gateway.token: unknown key; did you mean gateway.auth.token?"],
  [{ gatewya: {} }, "gatewya: unknown key; did you mean gateway?"],
  [
    { agents: { list: [{ id: "a", instruction: "x" }] } },
    "agents.list[0].instruction: unknown key; did you mean agents.list[0].instructions?",
  ],
  [
    { agents: { entries: { a: { alias: [] } } } },
    "agents.entries.a.alias: unknown key; did you mean agents.entries.a.aliases?",
  ],
  [
    { models: { providers: { x: { baseURL: "http://x" } } } },
    "models.providers.x.baseURL: unknown key; did you mean models.providers.x.baseUrl?",
  ],
  [{ agents: { defaults: { model: { primary: "a/b", qqqqqq: 1 } } } }, "agents.defaults.model.qqqqqq: unknown key"],
  [{ zzzzzz: 1 }, "zzzzzz: unknown key"],
])("an unknown key is told with the nearest known one: %j", (input, message) => {
  expect(problems(input)).toEqual([message]);
});

test.each(["__proto__", "constructor", "prototype"])("%s is an unknown key, and harmless", (key) => {
  const input: unknown = JSON.parse(
    `{"${key}":{"polluted":1},"models":{"providers":{"${key}":{"baseUrl":"http://x"}}},"agents":{"defaults":{"params":{"${key}":{"polluted":1}}}}}`,
  );
  expect(problems(input).map((line) => line.replace(/; did.*/, ""))).toEqual([
    `${key}: unknown key`,
    `models.providers.${key}: unknown key`,
    `agents.defaults.params.${key}: unknown key`,
  ]);
  expect(({} as Record<string, unknown>).polluted).toBeUndefined();
});

test("every problem is told, with its line and in the order of lines", () => {
  const lines: Record<string, number> = { "gateway.port": 7, "logging.level": 3, nope: 5 };
  const locate = (path: readonly (string | number)[]) => lines[path.join(".")];
  expect(() => parseConfig({ gateway: { port: 1.5 }, logging: { level: "loud" }, nope: 1 }, locate)).toThrow(
    /^logging\.level \(line 3\): expected one of .*\nnope \(line 5\): unknown key\ngateway\.port \(line 7\): expected int/,
  );
});

test("agents.entries is read like agents.list", () => {
  const { list } = parse({ agents: { entries: { Main: { name: "M" }, beta: { id: "beta", aliases: ["x"] } } } }).agents;
  expect(list.map(({ id, name, aliases }) => ({ id, name, aliases }))).toEqual([
    { id: "main", name: "M", aliases: [] },
    { id: "beta", name: undefined, aliases: ["x"] },
  ]);
});

test.each([
  [{ entries: {}, list: [] }, "agents.entries: give agents.list or agents.entries, not both"],
  [{ entries: [] }, "agents.entries: expected an object keyed by agent id"],
  [{ entries: { a: { id: "b" } } }, 'agents.entries.a.id: must be left out or be "a", the agent\'s key'],
  [{ entries: { "a b": {} } }, /^agents\.entries\["a b"\]: must be 1 to 64/],
  [{ entries: { a: 3 } }, "agents.entries.a: expected object, received number"],
  [{ entries: { a: { timeoutSeconds: -1 } } }, /^agents\.entries\.a\.timeoutSeconds: expected number to be >0/],
])("wrong agents.entries are told under their own path: %j", (agents, message) => {
  expect(problems({ agents })).toEqual([typeof message === "string" ? message : expect.stringMatching(message)]);
});

test.each([
  [{ bind: "custom" }, 'gateway.customBindHost: required when gateway.bind is "custom"'],
  [{ port: 65536 }, /^gateway\.port: expected number to be <=65535/],
  [{ trustedProxies: ["10.0.0.0/33"] }, /^gateway\.trustedProxies\[0\]: must be an IP address/],
  [{ trustedProxies: ["proxy.local"] }, /^gateway\.trustedProxies\[0\]: must be an IP address/],
  [{ http: { hosts: ["https://x.example"] } }, /^gateway\.http\.hosts\[0\]: must be a host name/],
  [{ http: { hosts: ["x.example:443"] } }, /^gateway\.http\.hosts\[0\]: must be a host name/],
  [{ auth: { token: "  " } }, "gateway.auth.token: must not be empty"],
  [{ auth: { token: "a\nb" } }, "gateway.auth.token: must not contain control characters"],
  [
    { auth: { keys: [{ id: "a", token: "a".repeat(15) }] } },
    "gateway.auth.keys[0].token: must have at least 16 characters",
  ],
  [
    { auth: { keys: [{ id: "a", token: "schlüssel-für-ann-123" }] } },
    /^gateway\.auth\.keys\[0\]\.token: must be visible ASCII/,
  ],
  [
    { auth: { keys: [{ id: "a", token: "a token with spaces" }] } },
    /^gateway\.auth\.keys\[0\]\.token: must be visible ASCII/,
  ],
  [{ auth: { rateLimit: { maxAttempts: 0 } } }, /^gateway\.auth\.rateLimit\.maxAttempts: expected number to be >=1/],
  [{ http: { keepAliveMs: 2 ** 31 } }, /^gateway\.http\.keepAliveMs: expected number to be <=2147483647/],
])("gateway %j is refused", (gateway, message) => {
  expect(problems({ gateway })).toEqual([typeof message === "string" ? message : expect.stringMatching(message)]);
});

test("what a gateway may be given is normalised", () => {
  const { gateway } = parse({
    gateway: {
      port: 0,
      trustedProxies: ["10.0.0.0/8", "fd00::/8", "::1"],
      http: { hosts: [" Chat.Example.COM. "], commitAfterMs: 0 },
    },
  });
  expect(gateway).toMatchObject({
    port: 0,
    trustedProxies: ["10.0.0.0/8", "fd00::/8", "::1"],
    http: { hosts: ["chat.example.com"], commitAfterMs: 0 },
  });
});

test.each([
  ["ftp://x", "must be an http or https URL"],
  ["x", /^must be a URL/],
  ["https://user:sk-secret@x", /^must not hold credentials/],
  ["https://x/v1?key=sk-secret", /^must not have a query/],
])("the base URL %s is refused, and not repeated", (baseUrl, message) => {
  const [line = ""] = problems({ models: { providers: { x: { baseUrl } } } });
  expect(line.replace("models.providers.x.baseUrl: ", "")).toMatch(message);
  expect(line).not.toContain("sk-secret");
});

test("a provider's base URL loses its trailing slash, and its headers must be headers", () => {
  expect(parse({ models: { providers: { x: { baseUrl: "http://x/v1/" } } } }).models.providers.x?.baseUrl).toBe(
    "http://x/v1",
  );
  expect(problems({ models: { providers: { x: { headers: { "a b": "c" } } } } })).toEqual([
    'models.providers.x.headers["a b"]: must be a header name',
  ]);
  expect(problems({ models: { providers: { x: { headers: { a: "b\r\nc: d" } } } } })).toEqual([
    "models.providers.x.headers.a: must be a header value",
  ]);
});

test.each([
  ["12h", 43_200_000],
  ["90s", 90_000],
  ["1d", 86_400_000],
])("sessions.pruneAfter %s is %i ms", (pruneAfter, ms) => {
  expect(parse({ sessions: { pruneAfter } }).sessions.pruneAfter).toBe(ms);
});

test.each(["30", "1 day", "0d", "-1d", "", "1e3s", "99999999999999d"])(
  "sessions.pruneAfter %j is refused",
  (pruneAfter) => {
    expect(problems({ sessions: { pruneAfter } })).toEqual([
      "sessions.pruneAfter: must be a duration such as 12h or 30d",
    ]);
  },
);

test("header names of sessions.clientHeaders are lower-cased", () => {
  expect(parse({ sessions: { clientHeaders: ["X-Chat-ID"] } }).sessions.clientHeaders).toEqual(["x-chat-id"]);
  expect(problems({ sessions: { clientHeaders: ["x chat"] } })).toEqual([
    "sessions.clientHeaders[0]: must be a header name",
  ]);
});

test("variables are replaced in strings, `$${` stands for itself, and values are not looked at again", () => {
  const input = { agents: { defaults: { instructions: "${A} $${A} ${lower} $A ${A}" } } };
  const { config } = parseConfig(input, undefined, { A: "<${B}>" });
  expect(config.agents.defaults.instructions).toBe("<${B}> ${A} ${lower} $A <${B}>");
  expect(parseConfig(input).config.agents.defaults.instructions).toBe(input.agents.defaults.instructions);
});

test("a missing or empty variable is one error that names key and variable", () => {
  const input = { models: { providers: { x: { apiKey: "${NO_KEY}", baseUrl: "${EMPTY}" } } } };
  expect(() => parseConfig(input, undefined, { EMPTY: "" })).toThrow(
    /^models\.providers\.x\.apiKey: the environment variable NO_KEY is not set\nmodels\.providers\.x\.baseUrl: the environment variable EMPTY is not set$/,
  );
  expect(() => parseConfig({ logging: { level: "${toString}${constructor}${A}" } }, undefined, {})).toThrow(
    /variable A is not set/,
  );
});

test("a variable that only a passed-over section needs may be missing", () => {
  expect(() => parseConfig({ channels: { telegram: { botToken: "${TELEGRAM}" } } }, undefined, {})).not.toThrow();
});

test("a config that goes round in circles, or is no plain object, is an error", () => {
  const circle: Record<string, unknown> = {};
  circle.gateway = { http: circle };
  expect(problems(circle).length).toBeGreaterThan(0);
  const params: Record<string, unknown> = {};
  params.self = params;
  expect(problems({ agents: { defaults: { params } } })).toEqual([
    expect.stringMatching(/nested more than 64 levels deep/),
  ]);
  expect(problems({ gateway: new Map() })[0]).toBe("gateway: expected a plain object");
  expect(problems([])).toEqual(["config: expected object, received array"]);
  expect(problems(null)).toEqual(["config: expected object, received null"]);
});

test("any JSON either parses or gives a ConfigError", () => {
  const keys = [
    "gateway",
    "agents",
    "list",
    "entries",
    "models",
    "providers",
    "sessions",
    "auth",
    "http",
    "__proto__",
    "id",
    "aliases",
    "model",
    "params",
    "mcp",
    "servers",
    "tools",
    "channels",
  ];
  const { tree } = fc.letrec((tie) => ({
    tree: fc.oneof(
      { maxDepth: 5, depthSize: "small" },
      fc.jsonValue(),
      fc.array(tie("tree"), { maxLength: 3 }),
      fc.dictionary(fc.oneof(fc.constantFrom(...keys), fc.string()), tie("tree"), { maxKeys: 4 }),
    ),
  }));
  fc.assert(
    fc.property(tree, (input) => {
      try {
        parseConfig(input, undefined, {});
      } catch (error) {
        expect(error).toBeInstanceOf(ConfigError);
        expect((error as Error).message).not.toBe("");
      }
    }),
    { numRuns: 300 },
  );
});

test("an alias that is another agent's id is refused: a bare name would mean two agents", () => {
  expect(() => parseConfig({ agents: { list: [{ id: "a", aliases: ["b"] }, { id: "b" }] } })).toThrow(
    /"b" is an agent's id/,
  );
});

test("a header with a secret makes no session: its value would come back", () => {
  expect(() => parseConfig({ sessions: { clientHeaders: ["Authorization"] } })).toThrow(
    /must not be a header with a secret/,
  );
});

test("what is known of a model and has no effect here is passed over with a line", () => {
  const models = { providers: { x: { baseUrl: "http://127.0.0.1:1/v1", models: [{ id: "m", maxTokens: 5 }] } } };
  expect(parseConfig({ models }).notices.join()).toContain("maxTokens");
});
