import { fileURLToPath } from "node:url";
import { gzipSync } from "node:zlib";
import { build } from "esbuild";
import { expect, test } from "vitest";

const BUDGET = 8 * 1024;
const root = fileURLToPath(new URL("../", import.meta.url));

test("all of it, bundled for browsers, keeps to its budget and needs no Node", async () => {
  const { outputFiles, metafile } = await build({
    absWorkingDir: root,
    entryPoints: ["src/index.ts"],
    bundle: true,
    minify: true,
    format: "esm",
    platform: "browser",
    target: "es2023",
    conditions: ["@openclaw/source"],
    metafile: true,
    write: false,
  });
  const [output] = Object.values(metafile.outputs);
  const inputs = Object.entries(output?.inputs ?? {});
  const makeUp = inputs
    .sort(([, a], [, b]) => b.bytesInOutput - a.bytesInOutput)
    .map(([path, { bytesInOutput }]) => `${String(bytesInOutput).padStart(6)} ${path.replace(/^.*node_modules\//, "")}`)
    .join("\n");
  const code = outputFiles[0]?.contents as Uint8Array;

  expect(output?.imports, makeUp).toEqual([]);
  expect(new TextDecoder().decode(code)).not.toMatch(/node:|\bprocess\b|\bBuffer\b|\brequire\(/);
  const strangers = inputs.map(([path]) => path).filter((path) => path.includes("node_modules"));
  expect(strangers.filter((path) => !path.includes("eventsource-parser"))).toEqual([]);
  expect(gzipSync(code, { level: 9 }).length, `bytes, gzipped; before that:\n${makeUp}`).toBeLessThanOrEqual(BUDGET);
});
