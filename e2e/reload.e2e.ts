import { hash } from "node:crypto";
import { mkdir, rename, rm, symlink, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { expect, test, vi } from "vitest";
import { startProvider } from "./support/provider.ts";
import { makeStateDir, SECRETS, type Served, serve } from "./support/run-bin.ts";

const BOBS_TOKEN = "ock_e2e_bob_0123456789";
const BOB = { id: "bob", tokenHash: `sha256:${hash("sha256", BOBS_TOKEN)}` };
/** A change applies within a second on an idle machine, and in the end on any. */
const SOON = { timeout: 30_000, interval: 20 };

interface Line {
  level: number;
  msg: string;
  reason?: string;
  restart?: string[];
}

function configOf({
  keys = [],
  gateway,
  level = "info",
  ...more
}: { keys?: object[]; gateway?: object; level?: string } & Record<string, unknown> = {}) {
  return JSON.stringify({
    ...more,
    logging: { format: "json", level },
    gateway: {
      auth: { mode: "token", token: SECRETS.token, keys },
      http: { endpoints: { chatCompletions: { enabled: true } } },
      ...gateway,
    },
  });
}

async function put(path: string, text: string): Promise<void> {
  await writeFile(`${path}.new`, text);
  await rename(`${path}.new`, path);
}

/** A running gateway with its file. `change` renames another over it, and waits for the line that says what became of it. */
async function serveFile(config: string, ...args: string[]) {
  const stateDir = await makeStateDir();
  const path = join(stateDir, "openclaw.json");
  await writeFile(path, config);
  const served = await serve(args, { stateDir });
  return {
    ...served,
    path,
    async change(text: string) {
      const told = about(served).length;
      await put(path, text);
      await vi.waitFor(() => expect(about(served).length).toBe(told + 1), SOON);
    },
  };
}

const linesOf = ({ output }: Pick<Served, "output">): Line[] =>
  output()
    .stderr.split("\n")
    .filter((line) => line.startsWith("{"))
    .map((line) => JSON.parse(line));

const about = (served: Pick<Served, "output">) => linesOf(served).filter(({ msg }) => msg.includes("config"));

const get = (url: string, token: string) =>
  fetch(`${url}/v1/models`, { headers: { authorization: `Bearer ${token}` } });

const status = async (url: string, token: string = BOBS_TOKEN) => (await get(url, token)).status;

async function models(url: string): Promise<string[]> {
  const { data } = (await (await get(url, SECRETS.token)).json()) as { data: { id: string }[] };
  return data.map(({ id }) => id);
}

const ask = (url: string, model: string, token: string = SECRETS.token) =>
  fetch(`${url}/v1/chat/completions`, {
    method: "POST",
    headers: { authorization: `Bearer ${token}`, "content-type": "application/json" },
    body: JSON.stringify({ model, stream: true, messages: [{ role: "user", content: "hi" }] }),
  });

const until = (look: () => Promise<unknown>, value: unknown) =>
  vi.waitFor(async () => expect(await look()).toEqual(value), SOON);

test("a key comes and goes with the file, and its stream ends with it", async () => {
  const provider = await startProvider();
  const rest = {
    models: { providers: { stand: { baseUrl: provider.baseUrl, apiKey: SECRETS.providerKey } } },
    agents: { list: [{ id: "main", model: "stand/in" }] },
  };
  const served = await serveFile(configOf(rest));
  expect(await status(served.url)).toBe(401);
  await served.change(configOf({ ...rest, keys: [BOB] }));
  const response = await ask(served.url, "openclaw", BOBS_TOKEN);
  const call = await provider.call();
  call.say("on");
  await served.change(configOf(rest));
  expect(await status(served.url)).toBe(401);
  expect(await response.text()).toContain("The key was revoked.");
  await call.closed;
  expect(about(served).map(({ msg }) => msg)).toEqual(["config reloaded", "config reloaded"]);
});

test("an agent that is added answers, and the stream of one that is gone goes on to its end", async () => {
  const provider = await startProvider();
  const stand = { providers: { stand: { baseUrl: provider.baseUrl, apiKey: SECRETS.providerKey } } };
  const served = await serveFile(configOf({ models: stand, agents: { list: [{ id: "main", model: "stand/in" }] } }));
  const response = await ask(served.url, "openclaw:main");
  const call = await provider.call();
  call.say("before");
  await served.change(configOf({ agents: { list: [{ id: "poet", model: "demo" }] } }));
  expect(await models(served.url)).toEqual(["openclaw", "openclaw/default", "openclaw/poet"]);
  expect((await ask(served.url, "openclaw:main")).status).toBe(404);
  expect(await (await ask(served.url, "openclaw:poet")).text()).toContain("data: [DONE]");
  call.say(", after");
  call.finish();
  const text = await response.text();
  expect(text).toContain(", after");
  expect(text).toMatch(/"finish_reason":"stop"[\s\S]*data: \[DONE\]\n\n$/);
});

test("a broken file is told once and changes nothing, and flags beat every file", async () => {
  const served = await serveFile(configOf({ keys: [BOB] }), "--token", "a-flag-beats-the-file", "--enable-chat");
  for (const text of ["{ gateway: { auth", "", "{ gatway: {} }"]) await served.change(text);
  await rm(served.path);
  await vi.waitFor(() => expect(about(served).length).toBe(4), SOON);
  expect(await status(served.url)).toBe(200);
  const broken = about(served);
  expect(new Set(broken.map(({ level, msg }) => `${level} ${msg}`))).toEqual(
    new Set(["50 config not reloaded: the one before stays in force"]),
  );
  expect(broken[2]?.reason).toContain("did you mean gateway?");
  expect(broken[3]?.reason).toContain("there is no such config file");
  const off = { http: { endpoints: { chatCompletions: { enabled: false } } } };
  await served.change(configOf({ gateway: { ...off, port: 1, auth: { mode: "none", token: SECRETS.token } } }));
  expect(await status(served.url, "a-flag-beats-the-file")).toBe(200);
  expect(await status(served.url, SECRETS.token)).toBe(401);
  // The port is a flag's, and so is the mode: nothing of it needs a restart.
  expect(about(served).at(-1)).toMatchObject({ level: 30, msg: "config reloaded" });
});

test("what needs a restart is named, and stays", async () => {
  const served = await serveFile(configOf());
  await served.change(configOf({ gateway: { bind: "lan", auth: { mode: "none" } }, sessions: { maxEntries: 7 } }));
  expect(about(served)[0]).toMatchObject({
    level: 40,
    restart: ["gateway.bind", "sessions.maxEntries", "gateway.auth.mode"],
  });
  expect(await status(served.url, "nobody")).toBe(401);
});

test("the log's level follows the file: each request is told of at debug, and no longer at info", async () => {
  const served = await serveFile(configOf());
  const requests = () => linesOf(served).filter(({ msg }) => msg === "request").length;
  await status(served.url);
  for (const level of ["debug", "info"]) {
    await served.change(configOf({ level }));
    const before = requests();
    await status(served.url);
    if (level === "debug") await vi.waitFor(() => expect(requests()).toBe(before + 1), SOON);
  }
  // Whatever was to be told of the last request is told before this.
  await served.change(configOf({ keys: [BOB] }));
  expect(requests()).toBe(1);
});

test("a file that comes to be where none was is followed, and so are 50 quick changes, to the last", async () => {
  const stateDir = await makeStateDir();
  const served = await serve(["--enable-chat"], { stateDir });
  const path = join(stateDir, "openclaw.json");
  await put(path, configOf({ agents: { list: [{ id: "first" }] } }));
  await until(() => models(served.url), ["openclaw", "openclaw/default", "openclaw/first"]);
  for (let index = 0; index < 50; index++) {
    await writeFile(path, configOf({ agents: { list: [{ id: `a${index}` }] } }));
  }
  await until(() => models(served.url), ["openclaw", "openclaw/default", "openclaw/a49"]);
});

test("a file behind a link that moves is followed, as Kubernetes mounts it", async () => {
  const stateDir = await makeStateDir();
  const mount = join(stateDir, "mount");
  const putVersion = async (version: string, text: string) => {
    await mkdir(join(mount, version), { recursive: true });
    await writeFile(join(mount, version, "openclaw.json"), text);
    await symlink(version, join(mount, "..tmp"));
    await rename(join(mount, "..tmp"), join(mount, "..data"));
  };
  await putVersion("..1", configOf());
  await symlink(join("..data", "openclaw.json"), join(mount, "openclaw.json"));
  const served = await serve(["--config", join(mount, "openclaw.json")], { stateDir });
  await putVersion("..2", configOf({ keys: [BOB] }));
  await vi.waitFor(() => expect(served.output().stderr).toContain("config reloaded"), SOON);
  expect(await status(served.url)).toBe(200);
});
