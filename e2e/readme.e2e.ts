import { mkdir, mkdtemp, readFile, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, onTestFinished, test } from "vitest";
import { start } from "./support/run-bin.ts";

const root = join(import.meta.dirname, "..");

/** The TypeScript of the README, in order. */
async function readSnippets(): Promise<string[]> {
  const text = await readFile(join(root, "README.md"), "utf8");
  return Array.from(text.matchAll(/^```ts\n(.*?)^```$/gms), ([, code = ""]) => code);
}

/** A folder where the built packages are installed and these files stand. */
async function createProject(files: Record<string, string>): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), "openclaw-readme-"));
  onTestFinished(() => rm(folder, { recursive: true, force: true }));
  await mkdir(join(folder, "node_modules/@openclaw"), { recursive: true });
  for (const name of ["client", "gateway-http"]) {
    await symlink(join(root, "packages", name), join(folder, "node_modules/@openclaw", name));
  }
  for (const [name, text] of Object.entries(files)) await writeFile(join(folder, name), text);
  return folder;
}

test("the README's gateway serves, and the README's client talks to it", async () => {
  const [client = "", gateway = ""] = await readSnippets();
  const token = "readme-token-0123456789";
  const port = "28790";
  const cwd = await createProject({
    "client.mts": client.replaceAll("18789", port),
    "gateway.mts": gateway,
  });
  const env = { OPENCLAW_GATEWAY_TOKEN: token, OPENCLAW_GATEWAY_PORT: port, OPENCLAW_STATE_DIR: join(cwd, "state") };

  const server = start(process.execPath, ["gateway.mts"], { cwd, env });
  await server.printed(/http:\/\/127\.0\.0\.1:28790/);
  const { code, stdout } = await start(process.execPath, ["client.mts"], { cwd, env }).exited;

  expect(stdout).toBe("You said: hi");
  expect(code).toBe(0);
});
