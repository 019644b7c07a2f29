import { expect, test } from "vitest";
import { stepper } from "../support/agents.ts";
import { ask, hi } from "../support/chat.ts";
import { pathOf, startWithSessions, user } from "../support/sessions.ts";
import { startGateway } from "../support/start-gateway.ts";

const KEY = "agent:main:trip";
const NOWHERE = "agent:main:nowhere";

async function withSession() {
  const door = await startWithSessions();
  await door.say(KEY, [user("one")]);
  return door;
}

/** Every route of one session, with a body that is good. */
const ROUTES: [method: string, rest: string, body?: object][] = [
  ["GET", ""],
  ["PATCH", "", { title: "x" }],
  ["DELETE", ""],
  ["GET", "/messages"],
  ["GET", "/branches"],
  ["POST", "/head", { id: "msg_1" }],
  ["POST", "/fork", {}],
  ["POST", "/fork"],
  ["POST", "/abort"],
];

test("what is not there is 404 on every route", async () => {
  const { refused, call } = await withSession();
  const keys = [NOWHERE, "trip", "AGENT:main:trip", `${KEY} `, "\u0000", "x".repeat(2000), "agent:main:trip/", "*"];
  for (const key of keys) {
    for (const [method, rest, body] of ROUTES) {
      expect(await refused(method, pathOf(key, rest), body), `${method} ${key}${rest}`).toBe("not_found key");
    }
  }
  expect((await call("GET", pathOf(KEY))).json.messages).toBe(2);
});

test("sessions of another owner are not there", async () => {
  const { refused, call, say, talk } = await withSession();
  const theirs = "agent:main:theirs";
  await say(theirs, [user("secret")], "somebody");
  await say(KEY, [user("secret")], "somebody");
  for (const [method, rest, body] of ROUTES) {
    expect(await refused(method, pathOf(theirs, rest), body), `${method} ${rest}`).toBe("not_found key");
  }
  expect(await refused("GET", `/v1/sessions?after=${theirs}`)).toBe("invalid_value after");
  for (const query of ["", "?search=theirs", "?agent=main", "?order=asc"]) {
    const { data } = (await call("GET", `/v1/sessions${query}`)).json;
    expect(data.map(({ id }: { id: string }) => id)).toEqual(query === "?search=theirs" ? [] : [KEY]);
  }
  // One key, two owners: each has a session of its own, and nobody learns of the other's from a fork.
  expect(await talk(KEY)).toEqual(["one", "re: one"]);
  expect((await call("POST", pathOf(KEY, "/fork"), { key: theirs })).status).toBe(201);
});

test("a run of another owner is neither seen nor ended, and keeps nobody busy", async () => {
  const { agent, started, end } = stepper();
  const { gateway, call, refused, say } = await startWithSessions({ agents: [agent] });
  const mine = say(KEY, [user("mine")]);
  end();
  await mine;
  const turn = { messages: [user("theirs")], instructions: [], params: {}, stream: false };
  const session = { owner: "somebody", key: KEY, stateless: false };
  const run = gateway.runs.start({ agent, turn, session });
  await started;
  expect((await call("GET", pathOf(KEY))).json.active_run).toBeNull();
  expect((await call("POST", pathOf(KEY, "/abort"))).json).toEqual({ aborted: null });
  expect(await refused("POST", pathOf(NOWHERE, "/abort"))).toBe("not_found key");
  expect((await call("DELETE", pathOf(KEY))).status).toBe(200);
  expect(run.ended).toBe(false);
});

test("a wrong parameter of a list is named", async () => {
  const { refused } = await withSession();
  for (const path of ["/v1/sessions", pathOf(KEY, "/messages"), pathOf(KEY, "/branches")]) {
    for (const limit of ["0", "101", "-1", "1.5", "1e1", "x", "%20", "9999", "0x1", "١"]) {
      expect(await refused("GET", `${path}?limit=${limit}`), `${path} ${limit}`).toBe("invalid_value limit");
    }
    for (const order of ["up", "ASC", "%00"]) {
      expect(await refused("GET", `${path}?order=${order}`)).toBe("invalid_value order");
    }
    for (const name of ["limit", "order", "after"]) {
      expect(await refused("GET", `${path}?${name}=1&${name}=2`), name).toBe(`invalid_value ${name}`);
    }
    expect(await refused("GET", `${path}?after=msg_nowhere`)).toBe("invalid_value after");
  }
  for (const name of ["agent", "search"]) {
    expect(await refused("GET", `/v1/sessions?${name}=a&${name}=b`)).toBe(`invalid_value ${name}`);
  }
  expect(await refused("GET", pathOf(KEY, "/messages?leaf=nowhere"))).toBe("not_found leaf");
});

test("what is empty or unknown in a query is as good as absent", async () => {
  const { call } = await withSession();
  const { json } = await call("GET", "/v1/sessions?limit=&order=&after=&agent=&search=&x=1&__proto__=2&metadata[a]=b");
  expect(json.data).toHaveLength(1);
  expect((await call("GET", "/v1/sessions?agent=MAIN")).json.data).toHaveLength(1);
  for (const query of ["agent=nobody", "agent=main&search=zzz", "search=%25"]) {
    expect((await call("GET", `/v1/sessions?${query}`)).json.data).toEqual([]);
  }
});

const NO_OBJECTS = ["[]", "null", "5", '"text"', "true"];

test("a body that is no object is refused", async () => {
  const { refused } = await withSession();
  for (const [method, rest] of ROUTES.filter(([method, rest]) => method !== "GET" && method + rest !== "DELETE")) {
    for (const body of NO_OBJECTS) {
      expect(await refused(method, pathOf(KEY, rest), body), `${rest} ${body}`).toBe("invalid_type null");
    }
    for (const body of ["{", "{}x", '{"a":1,}']) {
      expect(await refused(method, pathOf(KEY, rest), body), `${rest} ${body}`).toBe("invalid_json null");
    }
  }
});

test("a body that is needed has to come, as JSON; where it is not it may be left out", async () => {
  const { call, refused } = await withSession();
  const json = { "content-type": "application/json" };
  const needed = [pathOf(KEY), pathOf(KEY, "/head")];
  for (const path of needed) {
    const method = path === pathOf(KEY) ? "PATCH" : "POST";
    expect(await refused(method, path)).toBe("unsupported_media_type content-type");
    expect(await refused(method, path, undefined, json)).toBe("invalid_json null");
    expect(await refused(method, path, "{}", { "content-type": "text/plain" })).toBe(
      "unsupported_media_type content-type",
    );
  }
  for (const rest of ["/abort", "/fork"]) {
    for (const headers of [{}, json]) {
      expect((await call("POST", pathOf(KEY, rest), undefined, headers)).status).toBeLessThan(300);
    }
    expect((await call("POST", pathOf(KEY, rest), {})).status).toBeLessThan(300);
    for (const type of ["text/plain", "application/x-www-form-urlencoded", "application/json; charset=latin1"]) {
      const named = "unsupported_media_type content-type";
      expect(await refused("POST", pathOf(KEY, rest), "{}", { "content-type": type }), type).toBe(named);
      expect(await refused("POST", pathOf(KEY, rest), undefined, { "content-type": type }), type).toBe(named);
    }
    const gzip = { "content-encoding": "gzip" };
    expect(await refused("POST", pathOf(KEY, rest), {}, gzip)).toBe("unsupported_media_type content-encoding");
  }
});

test("a wrong title is named, and nothing changes", async () => {
  const { refused, session } = await withSession();
  for (const body of [{}, { title: 5 }, { title: [] }, { title: {} }, { title: true }]) {
    expect(await refused("PATCH", pathOf(KEY), body)).toBe("invalid_type title");
  }
  for (const title of ["x".repeat(201), "a\u0000b", "two\nlines", "\ud800"]) {
    expect(await refused("PATCH", pathOf(KEY), { title })).toBe("invalid_value title");
  }
  expect((await session(KEY)).title).toBeNull();
});

test("the head moves to what is there and seen only", async () => {
  const { refused, session } = await withSession();
  const before = await session(KEY);
  for (const body of [{}, { id: 5 }, { id: null }, { id: [] }]) {
    expect(await refused("POST", pathOf(KEY, "/head"), body)).toBe("invalid_type id");
  }
  for (const id of ["", "msg_nowhere", "__proto__", "\u0000"]) {
    expect(await refused("POST", pathOf(KEY, "/head"), { id })).toBe("not_found id");
  }
  expect(await session(KEY)).toEqual(before);
});

test("a fork that cannot be is refused, and nothing is made", async () => {
  const { call, refused, say } = await withSession();
  await say("agent:main:taken", [user("x")]);
  for (const body of [{ at: 5 }, { at: [] }]) {
    expect(await refused("POST", pathOf(KEY, "/fork"), body)).toBe("invalid_type at");
  }
  expect(await refused("POST", pathOf(KEY, "/fork"), { at: "msg_nowhere" })).toBe("not_found at");
  expect(await refused("POST", pathOf(KEY, "/fork"), { key: 5 })).toBe("invalid_type key");
  for (const key of ["taken", "agent:main:taken", KEY, " taken "]) {
    expect(await refused("POST", pathOf(KEY, "/fork"), { key }), key).toBe("invalid_value key");
  }
  const wrong = ["", "  ", "agent:beta:x", "agent:x", "agent::y", "subagent:x", "agent:main:cron:x", "acp:x"];
  for (const key of [...wrong, "a\u0001b", "\ud800", "x".repeat(513)]) {
    expect(await refused("POST", pathOf(KEY, "/fork"), { key }), key).toBe("invalid_session_key key");
  }
  expect((await call("GET", "/v1/sessions")).json.data).toHaveLength(2);
});

test("a session whose first question has no answer yet is forked at a message only", async () => {
  const { agent, started } = stepper();
  const door = await startWithSessions({ agents: [agent] });
  const asking = ask(door, hi({ user: "ann" }));
  await started;
  const key = "agent:main:openai-user:ann";
  expect((await door.call("GET", pathOf(key, "/messages"))).json.data).toEqual([]);
  expect(await door.refused("POST", pathOf(key, "/fork"))).toBe("invalid_value at");
  // Nor is the key of a run under way free.
  const [{ id }] = (await door.call("GET", pathOf(key, "/branches"))).json.data;
  expect(await door.refused("POST", pathOf(key, "/fork"), { at: id, key })).toBe("invalid_value key");
  expect((await door.call("POST", pathOf(key, "/fork"), { at: id })).json).toMatchObject({ head: id, messages: 1 });
  await door.call("POST", pathOf(key, "/abort"));
  await asking;
});

test("the routes stand behind the switch, the methods and auth, in this order", async () => {
  const off = await startGateway({
    config: { gateway: { http: { endpoints: { chatCompletions: { enabled: false } } } } },
  });
  expect(await (await off.request(pathOf(KEY))).json()).toMatchObject({ error: { code: "endpoint_disabled" } });
  const { call, url } = await withSession();
  const allowed: [path: string, allow: string][] = [
    ["/v1/sessions", "GET, HEAD"],
    [pathOf(KEY), "GET, PATCH, DELETE, HEAD"],
    [pathOf(KEY, "/messages"), "GET, HEAD"],
    [pathOf(KEY, "/branches"), "GET, HEAD"],
    [pathOf(KEY, "/head"), "POST"],
    [pathOf(KEY, "/fork"), "POST"],
    [pathOf(KEY, "/abort"), "POST"],
  ];
  for (const [path, allow] of allowed) {
    const { status, headers } = await call("PUT", path, {}, { authorization: "Bearer wrong" });
    expect([status, headers.get("allow")]).toEqual([405, allow]);
  }
  for (const [method, rest] of ROUTES) {
    // Neither the missing type nor the missing session is told to who has no token.
    expect((await fetch(`${url}${pathOf(NOWHERE, rest)}`, { method })).status, `${method} ${rest}`).toBe(401);
  }
});
