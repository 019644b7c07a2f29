import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, onTestFinished, test, vi } from "vitest";
import { main } from "../../src/cli/main.ts";
import { loadConfig } from "../../src/config/load.ts";
import { agentOf } from "../support/agents.ts";
import { ask, hi } from "../support/chat.ts";
import { startGateway } from "../support/start-gateway.ts";

/** The command line in a state folder of its own: the exit code, and what was written. */
async function commandLine() {
  const stateDir = await mkdtemp(join(tmpdir(), "openclaw-main-"));
  onTestFinished(() => rm(stateDir, { recursive: true, force: true }));
  vi.stubEnv("OPENCLAW_STATE_DIR", stateDir);
  vi.stubEnv("OPENCLAW_CONFIG_PATH", "");
  onTestFinished(() => void vi.unstubAllEnvs());
  return async (...argv: string[]) => {
    const written = { out: "", err: "" };
    const take = (to: "out" | "err") => (text: string | Uint8Array) => {
      written[to] += text;
      return true;
    };
    const spies = [
      vi.spyOn(process.stdout, "write").mockImplementation(take("out")),
      vi.spyOn(process.stderr, "write").mockImplementation(take("err")),
    ];
    const code = await main(argv);
    for (const spy of spies) spy.mockRestore();
    return { code, ...written };
  };
}

test("keys on the command line: 0 done, 1 nothing changed, 2 wrong usage, 78 no config", async () => {
  const run = await commandLine();
  expect(await run("keys", "list")).toMatchObject({ code: 78, out: "", err: expect.stringContaining("init") });
  expect((await run("init")).code).toBe(0);
  expect(await run("keys")).toMatchObject({ code: 2, out: "" });
  expect(await run("keys", "add", "ann", "--scopes", "chat,all")).toMatchObject({ code: 2, out: "" });
  const added = await run("keys", "add", "ann", "--agents", "main", "--expires", "2999-01-31");
  expect(added).toMatchObject({ code: 0, out: expect.stringMatching(/^sk-oc-[\w-]{43}\n$/) });
  expect(await run("keys", "add", "ann")).toMatchObject({ code: 1, out: "" });
  const listed = await run("keys", "list", "--json");
  expect(JSON.parse(listed.out)).toMatchObject([{ id: "ann", agents: ["main"], expiresAt: "2999-01-31T00:00:00Z" }]);
  expect((await run("config", "check")).out).toContain("and 1 key of gateway.auth.keys");
  expect((await run("keys", "revoke", "ann")).code).toBe(0);
  expect((await run("keys", "revoke", "ann")).code).toBe(1);
});

test("a key that was added is served by a gateway that reloads, and no longer once it was revoked", async () => {
  const run = await commandLine();
  await run("init");
  const { gateway, ...door } = await startGateway({
    agents: [
      agentOf(
        async function* () {
          yield "yes";
        },
        { id: "poet" },
      ),
    ],
  });
  async function reload() {
    const loaded = await loadConfig();
    await gateway.reload({
      ...loaded,
      config: { ...loaded.config, logging: { ...loaded.config.logging, level: "silent" } },
    });
  }
  const token = (await run("keys", "add", "ann", "--agents", "poet")).out.trim();
  const call = () => ask(door, hi({ model: "openclaw:poet" }), { authorization: `Bearer ${token}` });
  expect((await call()).status).toBe(401);
  await reload();
  expect(await call()).toMatchObject({ status: 200, text: "yes" });
  await run("keys", "revoke", "ann");
  await reload();
  expect((await call()).status).toBe(401);
});
