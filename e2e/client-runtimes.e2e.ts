import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { launchChromium } from "../apps/playground/e2e/launch-chromium.ts";
import { installClient, typeCheck } from "./support/install-client.ts";
import { type Running, SECRETS, start } from "./support/run-bin.ts";
import { serveApp } from "./support/serve-app.ts";

// One app, as it is, wherever JavaScript runs: from the packed packages, against a built gateway.

const RUNTIMES = ["bun@1.4.5", "deno@2.9.6", "workerd@1.20261117.1"];
const { build } = createRequire(join(import.meta.dirname, "../packages/client/package.json"))("esbuild");
let folder: string;
/** What the app heard, in order. */
const HEARD = [
  ...["You ", "said: ", "hi", "7 tokens", "You said: hi"],
  ...["It is 12 °C in Paris.", "Seine and Bièvre"],
  ...["AbortError", "true"],
  ...["back, attempt 1", "one two three four"],
  ...["hello-ok", "You said: hi", "stop 7", "user assistant", "AbortError", "closed"],
];

const APP = `
import { createClient, isOpenClawError } from "@openclaw/client";
import { withOutput } from "@openclaw/client/output";
import { createSocket } from "@openclaw/client/socket";
import { withTools } from "@openclaw/client/tools";
import { z } from "zod";

export async function app(baseUrl: string, token: string): Promise<string[]> {
  const client = withTools(withOutput(createClient({ baseUrl, token })));
  const ask = (content: string) => ({ messages: [{ role: "user" as const, content }] });
  const heard: string[] = [];

  const hi = { ...ask("hi"), stream: true as const, stream_options: { include_usage: true } };
  const stream = await client.chat.completions.create(hi);
  stream.on("content", (delta) => heard.push(delta)).on("usage", ({ total_tokens }) => heard.push(total_tokens + " tokens"));
  heard.push(await stream.text());

  const getWeather = { schema: z.object({ city: z.string() }), run: async ({ city }: { city: string }) => "12 °C in " + city };
  heard.push(await client.chat.runTools({ ...ask("weather"), tools: { getWeather } }).text());
  const { output } = await client.chat.completions.create({ ...ask("Paris"), output: z.object({ rivers: z.array(z.string()) }) });
  heard.push(output.rivers.join(" and "));

  for await (const _ of await client.chat.completions.create({ ...ask("Talk."), stream: true })) break;
  const leaving = new AbortController();
  const { signal } = leaving;
  const endless = await client.chat.completions.create({ ...ask("Talk."), stream: true }, { signal });
  await endless.on("content", () => leaving.abort()).final().catch((error) => heard.push(error.name));
  const gone = client.models.list({ signal: AbortSignal.abort() });
  heard.push(await gone.then(() => "not ended", (error) => String(isOpenClawError(error, "AbortError"))));

  const cut = await client.chat.completions.create({ ...ask("Count."), stream: true });
  heard.push(await cut.on("resume", ({ attempt }) => heard.push("back, attempt " + attempt)).text());

  const socket = createSocket({ baseUrl, token });
  heard.push((await socket.connect()).type);
  let stop = () => {};
  const shown = new Promise<string>((resolve) => {
    stop = socket.watch("socket", ({ messages, running }) => {
      if (messages.length === 2 && !running) resolve(messages.map(({ role }) => role).join(" "));
    });
  });
  const run = await socket.send("socket", "hi");
  let said = "";
  for await (const text of run) said += text;
  const { stopReason, usage } = await run.done();
  heard.push(said, stopReason + " " + usage?.totalTokens, await shown);
  stop();
  const talk = await socket.send("talk", "Talk.");
  for await (const _ of talk) if (await talk.abort()) break;
  await talk.done().catch((error) => heard.push(error.name));
  socket.close();
  heard.push(socket.status.state);
  return heard;
}
`;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "openclaw-runtimes-"));
  await installClient(folder, ...RUNTIMES);
  await write("app.ts", APP);
}, 120_000);
afterAll(() => rm(folder, { recursive: true, force: true }));

const write = (name: string, text: string) => writeFile(join(folder, name), text);

/** Both endless answers were ended: the one whose loop was left, and the one whose signal was aborted. */
const runsEnded = (gateway: Running) => gateway.printed(/^ended\n[\s\S]*^ended\n/m);

async function bundle(contents: string): Promise<string> {
  const { outputFiles } = await build({
    stdin: { contents, resolveDir: folder, loader: "ts" },
    bundle: true,
    format: "esm",
    platform: "browser",
    write: false,
  });
  return outputFiles[0].text;
}

test("the app's types are right", async () => {
  const dom = { module: "preserve", moduleResolution: "bundler", lib: ["es2023", "dom", "dom.iterable"], types: [] };
  expect(await typeCheck(folder, ["app.ts"], dom)).toBe("");
});

test.each([
  ["Node", process.execPath, []],
  ["Bun", "bun", ["run"]],
  ["Deno", "deno", ["run", "--allow-net=127.0.0.1", "--no-lock", "--node-modules-dir=manual"]],
])("it runs in %s, which ends by itself", async (name, command, args) => {
  const { gateway, url } = await serveApp();
  const main = `main-${name}.ts`;
  const call = JSON.stringify([url, SECRETS.token]);
  await write(main, `import { app } from "./app.ts";\nconsole.log(JSON.stringify(await app(...${call} as const)));`);
  const program = name === "Node" ? command : join(folder, "node_modules/.bin", command);
  const env = { HOME: folder, DENO_NO_UPDATE_CHECK: "1", NO_COLOR: "1" };
  const { code, stdout, stderr } = await start(program, [...args, main], { cwd: folder, env }).exited;
  expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
  expect(JSON.parse(stdout)).toEqual(HEARD);
  await runsEnded(gateway);
});

test("it runs in workerd", async () => {
  const { gateway, url } = await serveApp();
  const worker = `import { app } from "./app.ts";
export default { fetch: async (request, env) => Response.json(await app(env.URL, env.TOKEN)) };`;
  await write("worker.js", await bundle(worker));
  await write(
    "config.capnp",
    `using Workerd = import "/workerd/workerd.capnp";
const config :Workerd.Config = (
  services = [(name = "app", worker = .app), (name = "here", network = (allow = ["local"]))],
  sockets = [(name = "http", address = "127.0.0.1:0", http = (), service = "app")],
);
const app :Workerd.Worker = (
  modules = [(name = "worker.js", esModule = embed "worker.js")],
  compatibilityDate = "2026-11-01",
  globalOutbound = "here",
  bindings = [(name = "URL", text = "${url}"), (name = "TOKEN", text = "${SECRETS.token}")],
);`,
  );
  const args = ["serve", "--control-fd=1", "config.capnp"];
  const workerd = start(join(folder, "node_modules/.bin/workerd"), args, { cwd: folder });
  const [, port] = await workerd.printed(/"port":(\d+)/);
  const answer = await fetch(`http://127.0.0.1:${port}/`);
  expect(JSON.parse(await answer.text())).toEqual(HEARD);
  await runsEnded(gateway);
  expect(workerd.output().stderr).toBe("");
});

test("it runs in a browser", async () => {
  const page = `import { app } from "./app.ts";
globalThis.heard = app(location.origin, ${JSON.stringify(SECRETS.token)});`;
  const { gateway, url } = await serveApp(await bundle(page));
  const browser = await launchChromium();
  try {
    const tab = await browser.newPage();
    await tab.goto(url);
    expect(await tab.evaluate("heard")).toEqual(HEARD);
    await runsEnded(gateway);
  } finally {
    await browser.close();
  }
});
