// biome-ignore-all lint/suspicious/noTemplateCurlyInString: ${…} is the config file's own syntax.
import { expect, test } from "vitest";
import { parseConfig } from "../../src/config/parse.ts";
import { problems } from "./problems.ts";

test("servers are commands or URLs, with all they may have", () => {
  const input = {
    mcp: {
      sessionIdleTtlMs: 600_000,
      servers: {
        files: { command: " npx ", args: ["-y", "server", "${HOME}"], env: { DEBUG: true, PORT: 80, KEY: "${KEY}" } },
        plain: { command: "server" },
        web: { url: " https://mcp.example.com/mcp?team=a ", headers: { Authorization: "Bearer ${KEY}" } },
        "Bare-1_x": { url: "http://127.0.0.1:3001/mcp" },
        // Names of keys that are refused are fine as names of servers and variables.
        transport: { command: "x", env: { cwd: "/" } },
      },
    },
  };
  const { config, notices } = parseConfig(input, undefined, { HOME: "/home/me", KEY: "sk" });
  expect(config.mcp.servers).toEqual({
    files: { command: "npx", args: ["-y", "server", "/home/me"], env: { DEBUG: "true", PORT: "80", KEY: "sk" } },
    plain: { command: "server", args: [], env: {} },
    web: { url: "https://mcp.example.com/mcp?team=a", headers: { Authorization: "Bearer sk" } },
    "Bare-1_x": { url: "http://127.0.0.1:3001/mcp", headers: {} },
    transport: { command: "x", args: [], env: { cwd: "/" } },
  });
  expect(notices).toEqual(["mcp.sessionIdleTtlMs: not served by this gateway, passed over"]);
});

test.each([
  [{}, "mcp.servers.x: needs command (a program to start) or url (a server to call)"],
  [{ command: "a", url: "http://b" }, "mcp.servers.x.url: give command or url, not both"],
  [{ url: "http://b", args: [] }, "mcp.servers.x.args: only together with command"],
  [{ url: "http://b", env: {} }, "mcp.servers.x.env: only together with command"],
  [{ command: "a", headers: {} }, "mcp.servers.x.headers: only together with url"],
  [{ command: "  " }, "mcp.servers.x.command: must not be empty"],
  [{ command: "a\0b" }, "mcp.servers.x.command: must not hold a NUL character"],
  [{ command: ["a"] }, "mcp.servers.x.command: expected string, received array"],
  [{ command: "a", args: "b" }, "mcp.servers.x.args: expected array, received string"],
  [{ command: "a", args: [1] }, "mcp.servers.x.args[0]: expected string, received number"],
  [{ command: "a", args: ["\0"] }, "mcp.servers.x.args[0]: must not hold a NUL character"],
  [{ command: "a", env: { A: null } }, "mcp.servers.x.env.A: must be text"],
  [{ command: "a", env: { A: "\0" } }, "mcp.servers.x.env.A: must not hold a NUL character"],
  [{ command: "a", env: { "A=B": "c" } }, 'mcp.servers.x.env["A=B"]: must be the name of a variable'],
  [{ url: "b" }, "mcp.servers.x.url: must be a URL, for example https://mcp.example.com/mcp"],
  [{ url: "ws://b" }, "mcp.servers.x.url: must be an http or https URL"],
  [{ url: "https://user:sk-secret@b" }, "mcp.servers.x.url: must not hold credentials; use headers"],
  [{ url: "http://b", headers: { "a b": "c" } }, 'mcp.servers.x.headers["a b"]: must be a header name'],
  [{ url: "http://b", headers: { a: "b\nc: d" } }, "mcp.servers.x.headers.a: must be a header value"],
  [{ command: "a", arg: [] }, "mcp.servers.x.arg: unknown key; did you mean mcp.servers.x.args?"],
  [{ comand: "a" }, "mcp.servers.x.comand: unknown key; did you mean mcp.servers.x.command?"],
  [{ url: "http://b", type: "http" }, "mcp.servers.x.type: not supported by this version"],
  [{ command: "a", toolFilter: {} }, "mcp.servers.x.toolFilter: not supported by this version"],
  [{ command: "a", cwd: "/" }, "mcp.servers.x.cwd: not supported by this version"],
  [{ url: "http://b", transport: "sse" }, "mcp.servers.x.transport: not supported by this version"],
  [{ url: "http://b", auth: "oauth" }, "mcp.servers.x.auth: not supported by this version"],
  [{ command: "a", enabled: false }, "mcp.servers.x.enabled: not supported by this version"],
  [3, "mcp.servers.x: expected object, received number"],
])("the server %j is refused", (server, message) => {
  expect(problems({ mcp: { servers: { x: server } } })).toEqual([message]);
});

test.each(["", "-a", "_a", "a__b", "a b", "a.b", "ä", "x".repeat(33)])("no server is called %j", (name) => {
  const [line = "", ...more] = problems({ mcp: { servers: { [name]: { command: "a" } } } });
  expect(line).toMatch(/^mcp\.servers.*: a server's name must be 1 to 32 of letters, digits/);
  expect(more).toEqual([]);
});

test.each([
  [{ server: {} }, "mcp.server: unknown key; did you mean mcp.servers?"],
  [{ servers: [] }, "mcp.servers: expected record, received array"],
])("mcp %j is refused", (mcp, message) => {
  expect(problems({ mcp })).toEqual([message]);
});

test("an agent's tools replace those of agents.defaults, and steps come from there too", () => {
  const { defaults, list } = parseConfig({
    agents: {
      defaults: { tools: { allow: ["files__*"], deny: ["*__write"] }, maxSteps: 5 },
      list: [{ id: "a" }, { id: "b", tools: { deny: [" git__* "] }, maxSteps: 1000 }, { id: "c", tools: {} }],
    },
  }).config.agents;
  expect(defaults.maxSteps).toBe(5);
  expect(list.map(({ tools, maxSteps }) => ({ tools, maxSteps }))).toEqual([
    { tools: { allow: ["files__*"], deny: ["*__write"] }, maxSteps: 5 },
    { tools: { deny: ["git__*"] }, maxSteps: 1000 },
    { tools: {}, maxSteps: 5 },
  ]);
  expect(parseConfig({ agents: { entries: { a: { tools: { allow: [] } } } } }).config.agents.list[0]).toMatchObject({
    tools: { allow: [] },
    maxSteps: 20,
  });
});

test.each([
  [{ tools: { allow: "x" } }, "agents.list[0].tools.allow: expected array, received string"],
  [{ tools: { allow: [""] } }, "agents.list[0].tools.allow[0]: must not be empty"],
  [{ tools: { deny: [3] } }, "agents.list[0].tools.deny[0]: expected string, received number"],
  [{ tools: { allow: ["!x"] } }, 'agents.list[0].tools.allow[0]: must not begin with "!"; use deny'],
  [{ tools: { deny: ["files:*"] } }, 'agents.list[0].tools.deny[0]: matches no tool: names have no ":"'],
  [{ tools: { deny: ["files/*"] } }, 'agents.list[0].tools.deny[0]: matches no tool: names have no "/"'],
  [{ tools: { deny: ["files.*"] } }, 'agents.list[0].tools.deny[0]: matches no tool: names have no "."'],
  [{ tools: { deny: ["a__b c"] } }, 'agents.list[0].tools.deny[0]: matches no tool: names have no " "'],
  [{ tools: { deny: ["ä__*"] } }, 'agents.list[0].tools.deny[0]: matches no tool: names have no "ä"'],
  [{ tools: { deny: ["[fg__*"] } }, "agents.list[0].tools.deny[0]: matches no tool: a bracket has no other half"],
  [{ tools: { deny: ["{a,(b}__*)"] } }, "agents.list[0].tools.deny[0]: matches no tool: a bracket has no other half"],
  [{ tools: { deny: ["*__x)"] } }, "agents.list[0].tools.deny[0]: matches no tool: a bracket has no other half"],
  [
    { tools: { allow: ["files"] } },
    'agents.list[0].tools.allow[0]: matches no tool: names are <server>__<tool>, for example "files__*"',
  ],
  [{ tools: { alow: [] } }, "agents.list[0].tools.alow: unknown key; did you mean agents.list[0].tools.allow?"],
  [{ tools: { profile: "coding" } }, "agents.list[0].tools.profile: not supported by this version"],
  [{ maxSteps: 0 }, "agents.list[0].maxSteps: expected number to be >=1"],
  [{ maxSteps: 1001 }, "agents.list[0].maxSteps: expected number to be <=1000"],
  [{ maxSteps: 1.5 }, "agents.list[0].maxSteps: expected int, received number"],
])("an agent with %j is refused", (agent, message) => {
  expect(problems({ agents: { list: [{ id: "a", ...agent }] } })).toEqual([message]);
});

test.each(["*", "f*", "files__*", "a__b", "*__{read,list}_file", "[fg]*", "?__x", "@(a|b)__*", "a-b__!(write)*"])(
  "the glob %j is fine",
  (glob) => {
    expect(problems({ agents: { defaults: { tools: { allow: [glob], deny: [glob] } } } })).toEqual([]);
  },
);

test("keys that stand elsewhere here are told of", () => {
  const mcp = { servers: { x: { command: "a" } } };
  expect(problems({ mcp, tools: { deny: ["*"] } })).toEqual([
    "tools: not supported by this version: use agents.defaults.tools",
  ]);
  expect(problems({ mcp: { servers: {} }, tools: { deny: ["*"] } })).toEqual([]);
  expect(problems({ mcpServers: {} })).toEqual(["mcpServers: unknown key; did you mean mcp.servers?"]);
});
