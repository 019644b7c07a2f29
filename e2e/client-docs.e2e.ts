import { mkdir, mkdtemp, readFile, rm, symlink, writeFile } from "node:fs/promises";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { gzipSync } from "node:zlib";
import { afterAll, beforeAll, expect, onTestFinished, test } from "vitest";
import { launchChromium } from "../apps/playground/e2e/launch-chromium.ts";
import { SNIPPETS } from "./support/client-snippets.ts";
import { installClient, typeCheck } from "./support/install-client.ts";
import { ROUTE_SERVER, talkPage } from "./support/recipe-apps.ts";
import { SECRETS, start } from "./support/run-bin.ts";
import { serveApp } from "./support/serve-app.ts";
import { readSnippets, toFile, toModules } from "./support/snippets.ts";

// Every piece of code in the client's documents is type-checked and run: from the packed packages, against a built gateway.

const README = "packages/client/README.md";
const RECIPES = "docs/clients.md";
const ROOT = join(import.meta.dirname, "..");
const ofClient = createRequire(join(ROOT, "packages/client/package.json"));
const { build } = ofClient("esbuild");
/** What the snippets use beside the client. */
const BESIDE = ["openai", "ai", "@ai-sdk/openai-compatible", "react", "react-dom", "@types/react", "@types/react-dom"];

let folder: string;
const blocks: Record<string, Awaited<ReturnType<typeof readSnippets>>> = {};
const executed: Record<string, Set<string>> = {};

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "openclaw-docs-"));
  await installClient(folder);
  for (const name of BESIDE) {
    const link = join(folder, "node_modules", name);
    await mkdir(dirname(link), { recursive: true });
    await symlink(join(ROOT, "packages/client/node_modules", name), link);
  }
  for (const document of Object.keys(SNIPPETS)) {
    blocks[document] = await readSnippets(document);
    executed[document] = new Set();
  }
}, 120_000);
afterAll(() => rm(folder, { recursive: true, force: true }));

/** Writes modules, which talk to this gateway. */
async function write(files: Record<string, string>, url: string): Promise<void> {
  for (const [name, code] of Object.entries(files)) {
    await writeFile(join(folder, name), code.replaceAll("http://127.0.0.1:18789", url));
  }
}

/** The code of a recipe that a test of its own executes. */
function take(title: string): string {
  executed[RECIPES]?.add(title);
  return blocks[RECIPES]?.get(title)?.code ?? "";
}

test.each(Object.keys(SNIPPETS))("the snippets of %s have right types", async (document) => {
  const files: string[] = [];
  for (const [title, { code, language }] of blocks[document] ?? []) {
    const file = toFile(title, language);
    await write(toModules(file, code, SNIPPETS[document]?.[title]), "http://gateway.test");
    files.push(file);
  }
  const options = {
    module: "preserve",
    moduleResolution: "bundler",
    jsx: "react-jsx",
    lib: ["es2023", "dom", "dom.iterable", "dom.asynciterable"],
    types: ["node"],
    allowImportingTsExtensions: true,
    skipLibCheck: true,
  };
  expect(files).not.toEqual([]);
  expect(await typeCheck(folder, files, options)).toBe("");
});

test.each(Object.keys(SNIPPETS))(
  "the snippets of %s do what they say",
  async (document) => {
    const { gateway, url } = await serveApp();
    const printed: Record<string, string> = {};
    for (const [title, snippet] of Object.entries(SNIPPETS[document] ?? {})) {
      const { code, language } = blocks[document]?.get(title) ?? { code: "", language: "" };
      const file = toFile(title, language);
      await write(toModules(file, code, snippet), url);
      const env = { OPENCLAW_GATEWAY_TOKEN: SECRETS.token, AI_SDK_LOG_WARNINGS: "false" };
      const line = `printf '${snippet.types ?? ""}' | node ${file}`;
      const { stdout, stderr } = await start("bash", ["-c", line], { cwd: folder, env }).exited;
      printed[title] = stdout + stderr;
      executed[document]?.add(title);
    }
    const expected = Object.entries(SNIPPETS[document] ?? {}).map(([title, { prints }]) => [title, prints]);
    expect(printed).toEqual(Object.fromEntries(expected));
    // The loop that is left ends the run.
    if (document === README) await gateway.printed(/^ended$/m);
  },
  180_000,
);

/** The page with the hook, and what is behind it. */
const APPS = {
  "the gateway": async () => {
    const page = await bundle(talkPage(`{ baseUrl: location.origin, token: ${JSON.stringify(SECRETS.token)} }`));
    return { ...(await serveApp(page)), server: undefined };
  },
  "the route of Next.js": async () => {
    const page = await bundle(talkPage('{ baseUrl: location.origin + "/api" }'));
    const { gateway, url: behind } = await serveApp();
    await write({ "page.html": `<main></main><script type="module">${page}</script>` }, behind);
    return { gateway, ...(await startRoute(behind)) };
  },
};

/** Starts the route of Next.js, before the gateway at this address. */
async function startRoute(gatewayUrl: string) {
  await write({ ...toModules("route.ts", take("Next.js 1")), "server.ts": ROUTE_SERVER }, gatewayUrl);
  const env = { OPENCLAW_GATEWAY_TOKEN: SECRETS.token };
  const server = start(process.execPath, ["server.ts"], { cwd: folder, env });
  const [url] = await server.printed(/^http\S+$/m);
  return { server, url };
}

const WHAT = "shows one answer, ends what is not wanted any more, and shows nothing of it";
test.each(Object.entries(APPS))(`the hook of React 1, with %s behind it, ${WHAT}`, async (_, startApp) => {
  await write({ "use-answer.tsx": take("React 1") }, "");
  const { gateway, url, server } = await startApp();
  const browser = await launchChromium();
  onTestFinished(() => browser.close());
  const tab = await browser.newPage();
  const complaints: string[] = [];
  tab.on("pageerror", (error) => complaints.push(String(error)));
  await tab.goto(url);
  const press = (name: string) => tab.getByRole("button", { name, exact: true }).click();
  const shown = (text: string) => tab.getByText(text, { exact: true }).waitFor();
  const growing = () => tab.getByText(/^busy: (and so on ){3}/).waitFor();
  const ended = (times: number) => gateway.printed(new RegExp(`^(ended\n){${times}}`, "m"));

  await press("hi");
  await shown("done: You said: hi");
  await press("What did I say first?");
  await shown("done: hi");
  await press("Talk.");
  await growing();
  await press("hi");
  await ended(1);
  await shown("done: You said: hi");
  await press("Talk.");
  await growing();
  await press("stop");
  await ended(2);
  await tab.getByText(/^done: (and so on )+$/).waitFor();
  await press("Fail.");
  await shown("done: And thenAPIError");
  await press("Talk.");
  await growing();
  await press("toggle");
  await ended(3);
  expect(await tab.locator("p").count()).toBe(0);
  expect(complaints).toEqual([]);
  // The route is all that is asked: to cancel there is nothing.
  expect(server?.output().stdout ?? "").not.toContain("not there: /api");
});

test("the route of Next.js keeps the token, and serves our client and others", async () => {
  const { gateway, url } = await serveApp();
  const { url: origin } = await startRoute(url);
  await write(toModules("page.ts", take("Next.js 2")), url);

  const { stdout, stderr } = await start(process.execPath, ["page.ts"], { cwd: folder, env: { PAGE_ORIGIN: origin } })
    .exited;
  expect(stdout + stderr).toBe("You said: hi trip\n");

  const { default: OpenAI } = ofClient("openai");
  const openai = new OpenAI({ baseURL: `${origin}/api/v1`, apiKey: "none", maxRetries: 0 });
  const ask = (content: string) =>
    openai.chat.completions.create({ model: "any", messages: [{ role: "user", content }], stream: true });
  let text = "";
  for await (const { choices } of await ask("hi")) text += choices[0]?.delta.content ?? "";
  expect(text).toBe("You said: hi");
  // A user's sessions are nobody else's.
  const first = async (user: string) => {
    const messages = [{ role: "user", content: "What did I say first?" }];
    const headers = { "x-user": user, "x-openclaw-session-key": "trip" };
    const stream = await openai.chat.completions.create({ model: "any", messages, stream: true }, { headers });
    let text = "";
    for await (const { choices } of stream) text += choices[0]?.delta.content ?? "";
    return text;
  };
  expect([await first("ann"), await first("bob")]).toEqual(["hi", "What did I say first?"]);
  await expect(first("")).rejects.toMatchObject({ status: 401 });
  // A refusal as a response, a failure in the midst of the stream as its end.
  await expect(ask("")).rejects.toMatchObject({ status: 400, param: "messages" });
  const failing = await ask("Fail.");
  await expect(Array.fromAsync(failing)).rejects.toMatchObject({ code: "context_length_exceeded" });
  // The page is left.
  for await (const _ of await ask("Talk.")) break;
  await gateway.printed(/^ended$/m);
});

test("there is no snippet that is not executed", () => {
  for (const [document, snippets] of Object.entries(blocks)) {
    expect([...(executed[document] ?? [])].sort()).toEqual([...snippets.keys()].sort());
  }
});

test("the sizes that the README gives are so", async () => {
  const text = await readFile(join(ROOT, README), "utf8");
  const given = [...text.matchAll(/^\| `(@openclaw\/client\S*)` +\| +(\d+\.\d) \|$/gm)].map(([, name, size]) => [
    name,
    size,
  ]);
  const size = async (...names: string[]) =>
    gzipSync(await bundle(names.map((name) => `export * from "${name}";`).join("\n"), true), { level: 9 }).length /
    1024;
  const core = await size("@openclaw/client");
  const measured: [string, number][] = [["@openclaw/client", core]];
  for (const name of ["tools", "output", "debug", "socket"].map((name) => `@openclaw/client/${name}`)) {
    measured.push([name, (await size("@openclaw/client", name)) - core]);
  }
  const said = measured.map(([name, size]) => `${name} ${size.toFixed(1)}`);
  expect(given.map(([name]) => name)).toEqual(measured.map(([name]) => name));
  // Within the rounding of a change that nobody would notice.
  measured.forEach(([, size], index) => {
    expect(Math.abs(Number(given[index]?.[1]) - size), said.join("\n")).toBeLessThan(0.25);
  });
});

async function bundle(contents: string, minify = false): Promise<string> {
  const { outputFiles } = await build({
    stdin: { contents, resolveDir: folder, loader: "tsx" },
    bundle: true,
    minify,
    format: "esm",
    platform: "browser",
    target: "es2023",
    jsx: "automatic",
    define: { "process.env.NODE_ENV": '"development"' },
    write: false,
  });
  return outputFiles[0].text;
}
