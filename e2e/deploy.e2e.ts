import { existsSync, readdirSync, readFileSync } from "node:fs";
import { get } from "node:http";
import { createRequire } from "node:module";
import { join } from "node:path";
import { expect, test } from "vitest";
import { makeStateDir, runBin, SECRETS, startBin } from "./support/run-bin.ts";

const ROOT = join(import.meta.dirname, "..");
const DEPLOY = join(ROOT, "deploy");
const OPEN_WEBUI_KEY = "e2e-open-webui-0123456789";
const ENV = { OPENCLAW_GATEWAY_TOKEN: SECRETS.token, OPEN_WEBUI_KEY };

const read = (path: string) => readFileSync(join(ROOT, path), "utf8");
// The tree's own parser: nothing of ours needs YAML.
const { parse } = createRequire(createRequire(import.meta.url).resolve("knip"))("yaml") as {
  parse(text: string): unknown;
};

interface Service {
  build?: { context: string; dockerfile: string };
  environment: Record<string, string>;
  ports: string[];
  volumes: string[];
  depends_on?: Record<string, { condition: string }>;
  [key: string]: unknown;
}

const compose = parse(read("deploy/compose.yaml")) as { services: Record<string, Service>; volumes: object };
const gatewayService = compose.services.gateway as Service;

/** Instructions of the Dockerfile, with their continued lines joined. */
const dockerfile = read("deploy/Dockerfile")
  .replace(/^#.*\n/gm, "")
  .replace(/\\\n/g, " ")
  .split("\n")
  .flatMap((line) => {
    const match = /^([A-Z]+) +(.*)$/.exec(line.trim());
    return match ? [{ instruction: match[1] ?? "", rest: (match[2] ?? "").trim() }] : [];
  });
const instructions = (name: string) => dockerfile.filter(({ instruction }) => instruction === name);
const instruction = (name: string) => instructions(name).at(-1)?.rest ?? "";

/** The unit's settings, the last of a name; `Environment` has all. */
const unit = new Map<string, string>();
const unitEnvironment: string[] = [];
for (const [, key = "", value = ""] of read("deploy/openclaw-gateway.service").matchAll(/^(\w+)=(.*)$/gm)) {
  if (key === "Environment") unitEnvironment.push(value);
  else unit.set(key, value);
}

const toSeconds = (text: string) => Number(/^(\d+)s?$/.exec(text)?.[1]);
const toWords = (json: string): string[] => JSON.parse(json);
const imageCommand = [...toWords(instruction("ENTRYPOINT")), ...toWords(instruction("CMD"))];
const healthCommand = toWords(/CMD (\[.*\])/.exec(instruction("HEALTHCHECK"))?.[1] ?? "[]");
const unitCommand = (unit.get("ExecStart") ?? "").split(" ");

/** Calls of the gateway in the docs, without their comments. */
const documented = Array.from(
  read("docs/deploy.md").matchAll(/(?:^|`|docker exec \w+ )openclaw-gateway (\w[^`#\n]*)/gm),
  ([, rest = ""]) => ["openclaw-gateway", ...rest.trim().split(/ +/)],
);

test("every command in the files and in docs/deploy.md is one that the command line has, with its flags", async () => {
  const { stdout: help } = await runBin(await makeStateDir(), ["--help"]);
  const drops = (words: string[]) => words.slice(words.findIndex((word) => word.endsWith("openclaw-gateway")) + 1);
  const isKnown = (words: string[]) => {
    const [first = "", second = ""] = words;
    const names = [`openclaw-gateway ${first} ${second}`, `openclaw-gateway ${first}`, `openclaw-gateway [${first}]`];
    const flags = words.filter((word) => word.startsWith("--")).map((flag) => flag.split("=")[0] ?? "");
    return names.some((name) => help.includes(name)) && flags.every((flag) => help.includes(flag));
  };
  const commands = [imageCommand, healthCommand, unitCommand, ...documented];
  expect(documented.length).toBeGreaterThan(3);
  expect(commands.map(drops).filter((words) => !isKnown(words))).toEqual([]);
});

test("every variable that is set for the gateway is one that it reads", () => {
  const source =
    read("packages/gateway-http/src/config/env.ts") + read("packages/gateway-http/src/models/known-providers.ts");
  const configs = readConfigs().map((path) => read(`deploy/${path}`));
  const known = new Set(["HOME", "NODE_ENV", "PATH"]);
  const set = [
    ...instructions("ENV").flatMap(({ rest }) => [...rest.matchAll(/(\w+)=/g)].map(([, name = ""]) => name)),
    ...Object.keys(gatewayService.environment),
    ...unitEnvironment.map((text) => text.split("=")[0] ?? ""),
  ];
  expect(set).toContain("OPENCLAW_STATE_DIR");
  const isRead = (name: string) =>
    known.has(name) || source.includes(name) || configs.some((text) => text.includes(`\${${name}}`));
  expect(set.filter((name) => !isRead(name))).toEqual([]);
});

function readConfigs(): string[] {
  return readdirSync(DEPLOY, { recursive: true, encoding: "utf8" }).filter((path) => path.endsWith(".json5"));
}

test.for(readConfigs())("deploy/%s is a config without a notice", async (path) => {
  const { code, stdout } = await runBin(await makeStateDir(), ["config", "check", "--config", join(DEPLOY, path)], {
    env: ENV,
  });
  expect(stdout).toMatch(/^endpoint: .* is on$/m);
  expect(stdout).not.toMatch(/^(note|warning):/m);
  expect(code).toBe(0);
});

test("the image is built from what is there, by the pinned pnpm, on the Node that is tested", () => {
  const { packageManager } = JSON.parse(read("package.json"));
  const runs = instructions("RUN").map(({ rest }) => rest);
  expect(runs.join("\n").match(/pnpm@[\d.]+/g)).toEqual([packageManager, packageManager, packageManager]);
  const major = /nodeVersion: (\d+)/.exec(read("pnpm-workspace.yaml"))?.[1];
  expect(instructions("FROM").map(({ rest }) => /^node:(\d+)-/.exec(rest)?.[1])).toEqual([major, major]);
  const ignore = read(".dockerignore").split("\n");
  const copied = instructions("COPY")
    .filter(({ rest }) => !rest.startsWith("--from") && !rest.startsWith(". "))
    .map(({ rest }) => rest.split(" ")[0] ?? "");
  expect(copied.length).toBeGreaterThan(0);
  for (const path of copied) {
    expect(existsSync(join(ROOT, path)), path).toBe(true);
    expect(ignore).toContain(`!${path}`);
  }
  // What the root's and the packages' builds read.
  for (const path of ["pnpm-lock.yaml", "pnpm-workspace.yaml", "tsconfig.base.json", "tsconfig.build.base.json"]) {
    expect(ignore).toContain(`!${path}`);
  }
});

test("the image runs as nobody in particular, keeps its state in a volume and is stopped by a signal it knows", () => {
  expect(instruction("USER")).toBe("node");
  expect(instruction("VOLUME")).toBe("/state");
  expect(instruction("ENV")).toContain("OPENCLAW_STATE_DIR=/state");
  expect(instruction("STOPSIGNAL")).toBe("SIGTERM");
});

test("whoever stops it waits longer than answers have to finish in", () => {
  const drain = (words: string[]) => toSeconds(words[words.indexOf("--drain-timeout") + 1] ?? "");
  expect(toSeconds(unit.get("TimeoutStopSec") ?? "")).toBeGreaterThan(drain(unitCommand));
  expect(toSeconds(String(gatewayService.stop_grace_period))).toBeGreaterThan(drain(imageCommand));
});

test("the unit does not start again what cannot work, and does not send what would stop it", async () => {
  const { stdout: help } = await runBin(await makeStateDir(), ["--help"]);
  const codes = (unit.get("RestartPreventExitStatus") ?? "").split(" ");
  expect(help).toContain(`${codes[0]} usage, ${codes[1]} config`);
  expect(unit.get("Restart")).toBe("on-failure");
  expect(unit.has("ExecReload")).toBe(false);
  expect(unit.get("DynamicUser")).toBe("yes");
  expect(unitEnvironment).toContain(`OPENCLAW_STATE_DIR=%S/${unit.get("StateDirectory")}`);
});

test("compose publishes to this machine only, and gives the gateway nothing that it does not need", () => {
  for (const { ports } of Object.values(compose.services)) {
    for (const port of ports) expect(port).toMatch(/^127\.0\.0\.1:\d+:\d+$/);
  }
  expect(gatewayService).toMatchObject({ read_only: true, cap_drop: ["ALL"], init: true });
  expect(gatewayService.security_opt).toContain("no-new-privileges:true");
  expect(gatewayService.volumes).toContain("state:/state");
  for (const service of Object.values(compose.services)) {
    for (const volume of service.volumes) {
      const [source = ""] = volume.split(":");
      if (source.startsWith(".")) expect(existsSync(join(DEPLOY, source)), source).toBe(true);
      else expect(compose.volumes).toHaveProperty(source);
    }
  }
  expect(existsSync(join(DEPLOY, gatewayService.build?.context ?? "", gatewayService.build?.dockerfile ?? ""))).toBe(
    true,
  );
  expect(compose.services["open-webui"]?.depends_on).toEqual({ gateway: { condition: "service_healthy" } });
});

/** The image's command with one of its configs, but on loopback and any free port. */
async function startImage(config: string) {
  const stateDir = await makeStateDir();
  const env = { ...ENV, OPENCLAW_CONFIG_PATH: join(DEPLOY, config) };
  const running = startBin(stateDir, [...imageCommand.slice(1), "--bind", "loopback", "--port", "0"], { env });
  const [, port = ""] = await running.printed(/OpenClaw Gateway on http:\S+:(\d+)\n/);
  return { ...running, port, stateDir, env: { ...env, OPENCLAW_GATEWAY_PORT: port } };
}

test("the image's health check is 0 beside a gateway that is ready, and 1 beside none", async () => {
  const { child, exited, stateDir, env } = await startImage("container.json5");
  const healthy = await runBin(stateDir, healthCommand.slice(1), { env });
  expect(healthy.code, healthy.stdout + healthy.stderr).toBe(0);
  child.kill(instruction("STOPSIGNAL") as NodeJS.Signals);
  expect((await exited).code).toBe(0);
  expect((await runBin(stateDir, healthCommand.slice(1), { env })).code).toBe(1);
});

test("the image does not start without a token", async () => {
  const { code, stderr } = await runBin(await makeStateDir(), imageCommand.slice(1), {
    env: { OPENCLAW_CONFIG_PATH: join(DEPLOY, "container.json5") },
  });
  expect(code).toBe(78);
  expect(stderr).toContain("OPENCLAW_GATEWAY_TOKEN");
});

test("Open WebUI reaches its gateway by the name it has there, with a key for models and chats only", async () => {
  const { environment } = compose.services["open-webui"] as Service;
  const { hostname, port: inside } = new URL(environment.OPENAI_API_BASE_URL ?? "");
  expect(Object.keys(compose.services)).toContain(hostname);
  const { port } = await startImage("config/openclaw.json5");
  const ask = (path: string) =>
    new Promise<number | undefined>((resolve, reject) => {
      const headers = { host: `${hostname}:${inside}`, authorization: `Bearer ${OPEN_WEBUI_KEY}` };
      get({ port, path, headers }, (response) => resolve(response.resume().statusCode)).on("error", reject);
    });
  expect(await ask("/v1/models")).toBe(200);
  expect(await ask("/v1/sessions")).toBe(403);
  expect(await ask("/metrics")).toBe(403);
});
