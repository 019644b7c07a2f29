// Packs every published package as a release would and checks the tarballs, because what is published is not what the
// tests run on: pnpm applies `publishConfig`, leaves files out and rewrites `workspace:` ranges. Needs a build first.
import { execFileSync, spawnSync } from "node:child_process";
import { mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const { packageManager } = JSON.parse(readFileSync(join(root, "package.json"), "utf8"));
const packages = ["protocol", "gateway-http", "client"];
const binaries = join(root, "node_modules", ".bin");

const scratch = mkdtempSync(join(tmpdir(), "check-packages-"));
let failed = 0;
try {
  for (const name of packages) {
    const problems = checkPackage(join(root, "packages", name), join(scratch, name));
    console.log(`${problems.length === 0 ? "ok  " : "FAIL"} @openclaw/${name}`);
    for (const problem of problems) console.error(indent(problem));
    if (problems.length > 0) failed += 1;
  }
} finally {
  rmSync(scratch, { recursive: true, force: true });
}
process.exitCode = failed === 0 ? 0 : 1;

/** What is wrong with a package, in sentences; nothing when all is well. */
function checkPackage(folder, destination) {
  const pack = run("npx", ["-y", packageManager, "pack", "--pack-destination", destination], folder);
  if (pack.failed) return [`pnpm pack: ${pack.output}`];
  const [file] = readdirSync(destination);
  const tarball = join(destination, file);
  const files = listFiles(tarball);
  const manifest = JSON.parse(execFileSync("tar", ["-xOzf", tarball, "package/package.json"], { encoding: "utf8" }));
  const problems = [...checkFiles(files), ...checkManifest(manifest, files)];
  // A tarball with files missing makes the tools below say the same thing at length.
  if (problems.length > 0) return problems;
  const publint = run(join(binaries, "publint"), ["run", "--strict", tarball], folder);
  const attw = run(
    join(binaries, "attw"),
    ["--profile", "esm-only", "--no-color", "--format", "ascii", tarball],
    folder,
  );
  if (publint.failed) problems.push(`publint: ${publint.output}`);
  if (attw.failed) problems.push(`attw: ${attw.output}`);
  return problems;
}

function listFiles(tarball) {
  const list = execFileSync("tar", ["-tzf", tarball], { encoding: "utf8" });
  return list
    .split("\n")
    .filter((line) => line !== "" && !line.endsWith("/"))
    .map((line) => line.replace(/^package\//, ""));
}

function checkFiles(files) {
  const problems = [];
  for (const needed of ["README.md", "LICENSE", "package.json"]) {
    if (!files.includes(needed)) problems.push(`${needed} is not in the tarball`);
  }
  if (!files.some((file) => /^dist\/.*\.js$/.test(file))) problems.push("dist has no .js: build first");
  if (!files.some((file) => /^dist\/.*\.d\.ts$/.test(file))) problems.push("dist has no .d.ts: build first");
  const strays = files.filter((file) => !/^(dist\/|README\.md$|LICENSE$|CHANGELOG\.md$|package\.json$)/.test(file));
  if (strays.length > 0) problems.push(`does not belong in the tarball: ${strays.join(", ")}`);
  const tests = files.filter((file) => /(^|\/)test\/|\.(test|test-d|e2e)\./.test(file));
  if (tests.length > 0) problems.push(`tests in the tarball: ${tests.join(", ")}`);
  return problems;
}

function checkManifest(manifest, files) {
  const problems = [];
  const text = JSON.stringify({ exports: manifest.exports, bin: manifest.bin, dependencies: manifest.dependencies });
  if (text.includes("workspace:")) problems.push("a workspace: range was not replaced");
  if (text.includes("./src/")) problems.push("exports point into src");
  for (const [, file] of text.matchAll(/"\.\/(dist\/[^"]+)"/g)) {
    if (!files.includes(file)) problems.push(`${file} is named in package.json and not in the tarball`);
  }
  return problems;
}

function run(command, args, cwd) {
  const { status, error, stdout, stderr } = spawnSync(command, args, { cwd, encoding: "utf8" });
  return { failed: status !== 0, output: error ? error.message : `${stdout}${stderr}`.trim() };
}

function indent(text) {
  return text.replace(/^/gm, "     ");
}
