import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { gzipSync } from "node:zlib";
import { build } from "esbuild";
import { expect, test } from "vitest";

const root = fileURLToPath(new URL("../", import.meta.url));
const KIB = 1024;

/** By subpath, bytes gzipped; what a subpath shares with the core is counted in both. */
const BUDGETS = { ".": 8 * KIB, "./tools": 4 * KIB, "./output": 3 * KIB, "./debug": 1.5 * KIB, "./socket": 6.75 * KIB };
const ALL = 17.125 * KIB;

/** As an app's bundler does it, for a page. */
async function bundle(stdin: string) {
  const { outputFiles, metafile } = await build({
    absWorkingDir: root,
    stdin: { contents: stdin, resolveDir: root, loader: "ts" },
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
  const inputs = Object.entries(output?.inputs ?? {}).filter(([path]) => path !== "<stdin>");
  const makeUp = inputs
    .sort(([, a], [, b]) => b.bytesInOutput - a.bytesInOutput)
    .map(([path, { bytesInOutput }]) => `${String(bytesInOutput).padStart(6)} ${path}`)
    .join("\n");
  const code = outputFiles[0]?.contents as Uint8Array;
  return { code, size: gzipSync(code, { level: 9 }).length, makeUp, paths: inputs.map(([path]) => path), output };
}

const from = (path: string) => `./src/${path === "." ? "" : `${path.slice(2)}/`}index.ts`;

test("every subpath there is has a budget", () => {
  const { exports } = JSON.parse(readFileSync(`${root}package.json`, "utf8"));
  expect(Object.keys(BUDGETS)).toEqual(Object.keys(exports).filter((path) => !path.endsWith(".json")));
  for (const path of Object.keys(BUDGETS)) expect(exports[path]["@openclaw/source"]).toBe(from(path));
});

test.each(Object.entries(BUDGETS))(
  "all of %s, bundled for browsers, keeps to its budget and needs neither Node nor strangers",
  async (path, budget) => {
    const { code, size, makeUp, paths, output } = await bundle(`export * from "${from(path)}"`);
    expect(output?.imports, makeUp).toEqual([]);
    expect(new TextDecoder().decode(code)).not.toMatch(/node:|\bprocess\b|\bBuffer\b|\brequire\(/);
    // The protocol's names for the wire, without its schemas, are all that is not ours.
    expect(paths.filter((path) => !/^(src|\.\.\/protocol\/src)\//.test(path))).toEqual([]);
    expect(paths.filter((path) => /schema|zod/.test(path) && !path.startsWith("src/"))).toEqual([]);
    expect(size, `bytes, gzipped; before that:\n${makeUp}`).toBeLessThanOrEqual(budget);
  },
);

test("the core has nothing of what is in subpaths", async () => {
  const { paths } = await bundle(`export * from "./src/index.ts"`);
  expect(paths.filter((path) => /^src\/(tools|output|debug|socket|schema)/.test(path))).toEqual([]);
});

test("what shows traffic brings no client with it", async () => {
  const { paths } = await bundle(`export * from "./src/debug/index.ts"`);
  expect(paths.filter((path) => !path.startsWith("src/debug/"))).toEqual(["src/secrets.ts"]);
});

test("an app that uses all of it shares what they have in common", async () => {
  const { size, makeUp } = await bundle(
    Object.keys(BUDGETS)
      .map((path) => `export * from "${from(path)}";`)
      .join("\n"),
  );
  expect(size, makeUp).toBeLessThanOrEqual(ALL);
});

test("a package without dependencies of others", () => {
  const { dependencies, peerDependencies } = JSON.parse(readFileSync(`${root}package.json`, "utf8"));
  expect(Object.keys({ ...dependencies, ...peerDependencies })).toEqual(["@openclaw/protocol"]);
});
