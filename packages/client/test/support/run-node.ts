import { execFile } from "node:child_process";

/**
 * Runs a module in a process of its own, which must end by itself: what is left open keeps it from that.
 * @param script - Imports from `CLIENT`, `DEBUG` and `WIRE`, which stand for the addresses of our sources.
 * @returns what it printed
 */
export async function runNode(script: string, args: readonly string[] = []): Promise<string> {
  const source = script
    .replaceAll("CLIENT", JSON.stringify(new URL("../../src/index.ts", import.meta.url).href))
    .replaceAll("DEBUG", JSON.stringify(new URL("../../src/debug/index.ts", import.meta.url).href))
    .replaceAll("WIRE", JSON.stringify(new URL("./wire.ts", import.meta.url).href));
  const flags = ["--conditions=@openclaw/source", "--unhandled-rejections=strict", "--no-warnings"];
  return new Promise((resolve, reject) => {
    execFile(
      process.execPath,
      [...flags, "--input-type=module-typescript", "--eval", source, "--", ...args],
      { timeout: 50_000 },
      (error, stdout, stderr) => (error ? reject(new Error(`${error.message}\n${stderr}`)) : resolve(stdout)),
    );
  });
}
