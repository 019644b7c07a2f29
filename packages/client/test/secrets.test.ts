import { expect, test } from "vitest";
import { failureOf, hi, makeClient } from "./support/client.ts";
import { SSE, START } from "./support/wire.ts";

const [token, key, assertion, basic] = [
  `tok-${"S".repeat(60)}`,
  "PROXYSECRET-12345678",
  "eyJhbGciOi.JWT.part",
  "dXNlcjpwYXNz",
];
const SECRETS = [token, key, assertion, basic];

function answering(body: string, init: ResponseInit) {
  return makeClient({
    token,
    maxRetries: 0,
    headers: { "x-api-key": key, "cf-access-jwt-assertion": assertion, "proxy-authorization": `Basic ${basic}` },
    fetch: async () => new Response(body, init),
  });
}

function expectNone(failure: object) {
  const { message, code, type, param } = failure as Record<string, unknown>;
  const said = JSON.stringify([message, code, type, param]);
  expect(said).toContain("***");
  // Nor the beginning of one.
  for (const secret of SECRETS) expect(said).not.toContain(secret.slice(0, 8));
}

const envelope = { error: { message: SECRETS.join(" "), code: token, type: key, param: `${assertion} ${basic}` } };

test("no error says what was sent as a secret, in none of its members", async () => {
  const client = answering(JSON.stringify(envelope), { status: 400, headers: { "content-type": "application/json" } });
  expectNone(await failureOf(client.chat.completions.create(hi)));
});

test("nor one in the midst of a stream", async () => {
  const client = answering(`${START}data: ${JSON.stringify(envelope)}\n\n`, { headers: SSE });
  const stream = await client.chat.completions.create({ ...hi, stream: true });
  expectNone(await failureOf(stream.text()));
});

test.each(SECRETS)("nor a page, cut in the midst of %s", async (secret) => {
  const page = `${key}${"p".repeat(190)}${secret}`;
  expectNone(await failureOf(answering(page, { status: 502 }).models.list()));
});

test("a code of the table stays, and so does what is no secret of the caller's", async () => {
  const error = { message: "Session my-session is busy.", type: "api", param: null, code: "session_busy" };
  const client = makeClient({
    token: "is",
    maxRetries: 0,
    headers: { "x-api-key": "busy", "x-empty-key": "" },
    fetch: async () => Response.json({ error }, { status: 409 }),
  });
  const options = { sessionKey: "my-session", idempotencyKey: "Session" };
  expect(await failureOf(client.chat.completions.create(hi, options))).toMatchObject({
    code: "session_busy",
    message: "Session my-session *** ***.",
  });
});
