import { expect, test } from "vitest";
import type { ConfigInput } from "../../src/index.ts";
import { sayer } from "../support/agents.ts";
import { hi } from "../support/chat.ts";
import { exchange, expectEnvelope, readRaw } from "../support/raw-http.ts";
import { startGateway } from "../support/start-gateway.ts";

const KEY = "an-api-key-0123456789";
const PROXY = { userHeader: "X-Forwarded-User", requiredHeaders: ["x-forwarded-proto"] };
const BY_PROXY = ["x-forwarded-proto: https"];

interface Changes {
  proxy?: object;
  trustedProxies?: string[];
  gateway?: object;
}

function configOf({ proxy, trustedProxies = ["127.0.0.1"], gateway }: Changes = {}): ConfigInput {
  const auth = {
    mode: "trusted-proxy" as const,
    trustedProxy: { ...PROXY, ...proxy },
    keys: [{ id: "ci", token: KEY }],
    rateLimit: { maxAttempts: 3, exemptLoopback: false },
  };
  const http = { endpoints: { chatCompletions: { enabled: true } } };
  return { logging: { level: "silent" }, gateway: { auth, trustedProxies, http, ...gateway } };
}

/** A gateway behind a proxy, and what it answers to `GET /v1/sessions` with exactly these header lines. */
async function behindProxy(changes: Changes = {}) {
  const started = await startGateway({ agents: [sayer("hello")], config: configOf(changes) });
  async function get(...lines: string[]) {
    const all = lines.some((line) => line.startsWith("host:")) ? lines : ["host: localhost", ...lines];
    const head = ["GET /v1/sessions HTTP/1.1", ...all, "connection: close"].join("\r\n");
    const { status, body } = readRaw(await exchange(started.port, `${head}\r\n\r\n`));
    if (status !== 200) return expectEnvelope(status, body);
    return { code: "ok", message: "", sessions: JSON.parse(body).data.map(({ id }: { id: string }) => id) as string[] };
  }
  /** Leaves a session behind, under this key. */
  async function talk(key: string, ...lines: string[]): Promise<number> {
    const body = JSON.stringify(hi());
    const head = [
      "POST /v1/chat/completions HTTP/1.1",
      "host: localhost",
      ...lines,
      "content-type: application/json",
      `content-length: ${Buffer.byteLength(body)}`,
      `x-openclaw-session-key: ${key}`,
      "connection: close",
    ];
    return readRaw(await exchange(started.port, `${head.join("\r\n")}\r\n\r\n${body}`)).status;
  }
  return { ...started, get, talk };
}

test("the user that the proxy names is the owner of what it makes, and sees nobody else's", async () => {
  const { get, talk } = await behindProxy();
  const ann = [...BY_PROXY, "x-forwarded-user: ann@example.com"];
  const zoe = [...BY_PROXY, `X-Forwarded-User:   ${Buffer.from("Zoë").toString("latin1")}  `];
  expect(await talk("hers", ...ann)).toBe(200);
  expect(await talk("of-zoe", ...zoe)).toBe(200);
  expect(await talk("of-ci", `authorization: Bearer ${KEY}`)).toBe(200);
  expect(await get(...ann)).toMatchObject({ sessions: ["agent:main:hers"] });
  expect(await get(...zoe)).toMatchObject({ sessions: ["agent:main:of-zoe"] });
  expect(await get(`authorization: Bearer ${KEY}`)).toMatchObject({ sessions: ["agent:main:of-ci"] });
  // A user who is called like a key is not that key.
  expect(await get(...BY_PROXY, "x-forwarded-user: ci")).toMatchObject({ sessions: [] });
});

test("whatever the proxy passes on as a credential, its user is the user, unless it is a key", async () => {
  const { get, talk } = await behindProxy();
  const ann = [...BY_PROXY, "x-forwarded-user: ann"];
  expect(await talk("hers", ...ann, "authorization: Bearer some.id.token")).toBe(200);
  expect(await get(...ann, "authorization: Basic YTpi")).toMatchObject({ sessions: ["agent:main:hers"] });
  expect(await get(...ann, `authorization: Bearer ${KEY}`)).toMatchObject({ sessions: [] });
});

test("a user header from elsewhere is worth nothing, whatever else is sent", async () => {
  const { get } = await behindProxy({ trustedProxies: ["10.0.0.0/8", "::1"] });
  const attempts = [
    [],
    ["x-forwarded-for: 10.0.0.1"],
    ["x-forwarded-for: 10.0.0.1, 10.0.0.2"],
    ["x-real-ip: 10.0.0.1"],
    ["forwarded: for=10.0.0.1;by=10.0.0.1"],
    ["x-forwarded-for: ::1"],
    ["authorization: Basic YTpi"],
  ];
  for (const lines of attempts) {
    const error = await get(...BY_PROXY, "x-forwarded-user: ann", ...lines);
    expect(error, lines.join()).toMatchObject({
      code: "invalid_api_key",
      message: expect.stringMatching(/gateway\.trustedProxies/),
    });
    expect(error.message).not.toContain("ann");
  }
  expect(await get("x-forwarded-user: ann", `authorization: Bearer ${KEY}`)).toMatchObject({ code: "ok" });
});

test("the address that the proxy forwards is not the proxy's", async () => {
  const { get } = await behindProxy();
  const ann = [...BY_PROXY, "x-forwarded-user: ann"];
  expect(await get(...ann, "x-forwarded-for: 203.0.113.9")).toMatchObject({ code: "ok" });
  expect(await get(...ann, "x-forwarded-for: 203.0.113.9, 127.0.0.1")).toMatchObject({ code: "ok" });
});

test.each<[name: string, says: RegExp, lines: string[]]>([
  ["no user", /sent no x-forwarded-user/, BY_PROXY],
  ["no required header", /sent no x-forwarded-proto.*requiredHeaders/, ["x-forwarded-user: ann"]],
  ["an empty required header", /sent no x-forwarded-proto/, ["x-forwarded-proto:  ", "x-forwarded-user: ann"]],
  ["two users", /more than one/, [...BY_PROXY, "x-forwarded-user: ann", "x-forwarded-user: bob"]],
  ["one user twice, in another case", /more than one/, [...BY_PROXY, "x-forwarded-user: ann", "X-FORWARDED-USER: ann"]],
  ["an empty user beside another", /more than one/, [...BY_PROXY, "x-forwarded-user:", "x-forwarded-user: ann"]],
  ["an empty user", /1 to 256 characters/, [...BY_PROXY, "x-forwarded-user:"]],
  ["a blank user", /1 to 256 characters/, [...BY_PROXY, "x-forwarded-user: \xc2\xa0\t "]],
  ["a user of 257 characters", /1 to 256 characters/, [...BY_PROXY, `x-forwarded-user: ${"a".repeat(257)}`]],
  ...["\uFEFFann", "\u200bann", "an\u200dn", "ann\u2060", "\u00a0ann", "ann\u3000", "\u2003ann"].map(
    (name): [string, RegExp, string[]] => [
      `the user ${JSON.stringify(name)}, who looks like another,`,
      /format characters/,
      [...BY_PROXY, `x-forwarded-user: ${Buffer.from(name).toString("latin1")}`],
    ],
  ),
  ["a tab in the user", /control characters/, [...BY_PROXY, "x-forwarded-user: an\tn"]],
  ["a C1 control in the user", /control characters/, [...BY_PROXY, "x-forwarded-user: an\xc2\x85n"]],
  ["a user that is no UTF-8", /UTF-8/, [...BY_PROXY, "x-forwarded-user: Zo\xeb"]],
])("%s is 401, and the message says so without the value", async (_, says, lines) => {
  const { get } = await behindProxy();
  const error = await get(...lines);
  expect(error).toMatchObject({ code: "invalid_api_key", message: expect.stringMatching(says) });
  expect(error.message).not.toMatch(/ann|bob|aaa/);
});

test("blanks within a name are its own, and of those around it a header has spaces and tabs", async () => {
  const { get, talk } = await behindProxy();
  const utf8 = (text: string) => Buffer.from(text).toString("latin1");
  expect(await talk("hers", ...BY_PROXY, `x-forwarded-user: \t ${utf8("Ann\u00a0Lee")} \t`)).toBe(200);
  expect(await get(...BY_PROXY, `x-forwarded-user: ${utf8("Ann\u00a0Lee")}`)).toMatchObject({
    sessions: ["agent:main:hers"],
  });
  expect(await get(...BY_PROXY, "x-forwarded-user: Ann Lee")).toMatchObject({ sessions: [] });
});

test.each(["0.0.0.0/0", "127.0.0.0/08", "::ffff:127.0.0.1", "::ffff:0:0/96"])(
  "%s in trustedProxies is this proxy, for its user and for the address that it forwards",
  async (range) => {
    const { get } = await behindProxy({ trustedProxies: ["::/0", "fe80::1%eth0", range] });
    expect(await get(...BY_PROXY, "x-forwarded-user: ann")).toMatchObject({ code: "ok" });
    const from = (address: string) => get(`x-forwarded-for: ${address}`, "authorization: Bearer wrong-wrong-wrong");
    for (let i = 0; i < 3; i++) expect(await from("2001:db8::1")).toMatchObject({ code: "invalid_api_key" });
    expect(await from("2001:db8::1")).toMatchObject({ code: "too_many_failed_attempts" });
    expect(await from("2001:db9::1")).toMatchObject({ code: "invalid_api_key" });
  },
);

test("256 characters are counted as characters, not as bytes", async () => {
  const { get } = await behindProxy();
  const name = Buffer.from("😀".repeat(256)).toString("latin1");
  expect(await get(...BY_PROXY, `x-forwarded-user: ${name}`)).toMatchObject({ code: "ok" });
});

test("allowUsers lets in those it names, exactly", async () => {
  const { get } = await behindProxy({ proxy: { allowUsers: ["ann@example.com"] } });
  const as = (user: string) => get(...BY_PROXY, `x-forwarded-user: ${user}`);
  expect(await as("ann@example.com")).toMatchObject({ code: "ok" });
  for (const user of ["bob@example.com", "ANN@example.com", "ann@example.com.evil"]) {
    const error = await as(user);
    expect(error).toMatchObject({ code: "invalid_api_key", message: expect.stringMatching(/allowUsers/) });
    expect(error.message).not.toContain("@");
  }
});

test("Host and Origin are looked at before the user, and pages of listed origins are let through", async () => {
  const http = { cors: { origins: ["https://chat.example.com"] }, hosts: ["agents.example.com"] };
  const { get } = await behindProxy({ gateway: { http } });
  const ann = [...BY_PROXY, "x-forwarded-user: ann"];
  expect(await get("host: evil.example", ...ann)).toMatchObject({ code: "host_not_allowed" });
  for (const origin of ["https://evil.example", "null", "https://chat.example.com:8443"]) {
    expect(await get(...ann, `origin: ${origin}`)).toMatchObject({ code: "origin_not_allowed" });
  }
  for (const origin of ["https://chat.example.com", "https://agents.example.com"]) {
    expect(await get("host: agents.example.com", ...ann, `origin: ${origin}`)).toMatchObject({ code: "ok" });
  }
});

test("guessing keys past the proxy locks an address out, its missing credentials do not", async () => {
  const { get } = await behindProxy({ trustedProxies: ["10.0.0.1"] });
  for (let i = 0; i < 5; i++) expect(await get("x-forwarded-user: ann")).toMatchObject({ code: "invalid_api_key" });
  for (let i = 0; i < 3; i++) {
    const error = await get(`authorization: Bearer guess-${i}`);
    expect(error).toMatchObject({
      code: "invalid_api_key",
      message: expect.stringMatching(/^Wrong key\. .*gateway\.trustedProxies/),
    });
  }
  expect(await get("authorization: Bearer guess-3")).toMatchObject({ code: "too_many_failed_attempts" });
  expect(await get(`authorization: Bearer ${KEY}`)).toMatchObject({ code: "ok" });
});

test("a reload changes who is let in, not which proxies are trusted", async () => {
  const { gateway, get } = await behindProxy();
  const ann = [...BY_PROXY, "x-forwarded-user: ann"];
  const changed = configOf({ proxy: { allowUsers: ["bob"] }, trustedProxies: ["10.0.0.1"] });
  expect(await gateway.reload(changed)).toMatchObject({ restart: expect.arrayContaining(["gateway.trustedProxies"]) });
  expect(await get(...ann)).toMatchObject({ message: expect.stringMatching(/allowUsers/) });
  await gateway.reload(configOf({ proxy: { userHeader: "remote-user", requiredHeaders: [] } }));
  expect(await get(...ann)).toMatchObject({ message: expect.stringMatching(/sent no remote-user/) });
  expect(await get("remote-user: ann")).toMatchObject({ code: "ok" });
});

test("a reload to another mode waits for the restart, and says so; the proxy's word holds until then", async () => {
  const { gateway, get } = await behindProxy();
  const ann = [...BY_PROXY, "x-forwarded-user: ann"];
  expect(await get(...ann)).toMatchObject({ code: "ok" });
  const token = "another-token-0123456789";
  const { restart } = await gateway.reload({
    ...configOf(),
    gateway: { ...configOf().gateway, auth: { mode: "token", token } },
  });
  expect(restart).toContain("gateway.auth.mode");
  expect(await get(...ann)).toMatchObject({ code: "ok" });
  expect(await get("x-forwarded-user: ann")).toMatchObject({ code: "invalid_api_key" });
  expect(await get(`authorization: Bearer ${token}`)).toMatchObject({ code: "invalid_api_key" });
});

test("a block for a proxy in another mode is refused, not ignored", async () => {
  const { auth } = configOf().gateway ?? {};
  for (const mode of ["token", "none", undefined] as const) {
    const started = startGateway({ config: { gateway: { auth: { ...auth, mode, token: KEY.toUpperCase() } } } });
    await expect(started).rejects.toThrow(/gateway\.auth\.trustedProxy is only used with gateway\.auth\.mode/);
  }
});

test.each([
  [{ mode: "trusted-proxy" }, ["127.0.0.1"], /^gateway\.auth\.trustedProxy: required when mode is "trusted-proxy"/m],
  [
    { mode: "trusted-proxy", trustedProxy: PROXY },
    [],
    /^gateway\.trustedProxies: required when gateway\.auth\.mode is/m,
  ],
  [{ mode: "trusted-proxy", trustedProxy: {} }, ["::1"], /^gateway\.auth\.trustedProxy\.userHeader: /m],
] as const)("auth %j with proxies %j is a config error", async (auth, trustedProxies, message) => {
  const config = { gateway: { auth, trustedProxies } } as unknown as ConfigInput;
  await expect(startGateway({ config })).rejects.toThrow(message);
});
