import { execFile } from "node:child_process";
import { readdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { promisify } from "node:util";

const run = promisify(execFile);
const ROOT = join(import.meta.dirname, "../..");
const shell = process.platform === "win32";

/**
 * Makes a folder an app that has the client from npm: what others install is not what the unit tests run on, it is built,
 * packed and resolved by its published exports.
 * @param beside - Other packages, with their versions.
 */
export async function installClient(folder: string, ...beside: string[]): Promise<void> {
  const { packageManager } = JSON.parse(await readFile(join(ROOT, "package.json"), "utf8"));
  for (const name of ["protocol", "client"]) {
    const cwd = join(ROOT, "packages", name);
    await run("npx", ["-y", packageManager, "pack", "--pack-destination", folder], { cwd, shell });
  }
  const tarballs = (await readdir(folder)).filter((file) => file.endsWith(".tgz")).map((file) => `./${file}`);
  if (tarballs.length !== 2) throw new Error(`packed ${tarballs}`);
  await writeFile(join(folder, "package.json"), JSON.stringify({ name: "app", private: true, type: "module" }));
  const options = ["--no-audit", "--no-fund", "--prefer-offline"];
  await run("npm", ["install", ...options, ...tarballs, ...beside], { cwd: folder, shell });
}

/** Type-checks these files of the folder. Resolves to what the compiler says: nothing, if all is well. */
export async function typeCheck(folder: string, files: readonly string[], options: object): Promise<string> {
  const compilerOptions = {
    target: "es2023",
    strict: true,
    noEmit: true,
    skipLibCheck: false,
    typeRoots: [join(ROOT, "node_modules", "@types")],
    ...options,
  };
  const config = join(folder, `tsconfig.${files[0]}.json`);
  await writeFile(config, JSON.stringify({ compilerOptions, files }));
  const tsc = join(ROOT, "node_modules", ".bin", "tsc");
  const { stdout } = await run(tsc, ["-p", config], { cwd: folder, shell }).catch((error) => error);
  return stdout;
}
