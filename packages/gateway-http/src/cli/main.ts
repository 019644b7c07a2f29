import { resolve } from "node:path";
import { parseArgs } from "node:util";
import { readEnvironment } from "../config/env.ts";
import { ConfigError } from "../errors/config-error.ts";
import { runConfigCheck } from "./config-check.ts";
import { runInit } from "./init.ts";
import { HELP, OPTIONS, type Options, UsageError } from "./options.ts";
import { runGateway } from "./run.ts";
import { onStopSignal } from "./stop-signals.ts";

/** Where one writes to a reader that is gone: a closed pipe, a terminal that hung up. */
const READER_GONE = new Set(["EPIPE", "EIO"]);

/** Exit codes: 0, 1 failure, 2 usage, 78 config (`EX_CONFIG` of sysexits.h); 128 and a signal's number. */
export async function main(argv: string[]): Promise<number> {
  // A reader that went away (`| head -1`) is no reason to cut the answers of others.
  process.stdout.on("error", (error: NodeJS.ErrnoException) => {
    if (!READER_GONE.has(error.code ?? "")) throw error;
  });
  // Nor is a log that cannot be written, for whatever reason.
  process.stderr.on("error", () => {});
  try {
    return await dispatch(argv);
  } catch (error) {
    if (error instanceof UsageError) return complain(`${error.message}\nTry --help.`, 2);
    if (error instanceof ConfigError) return complain(error.message, 78);
    return complain(error instanceof Error ? error.message : String(error), 1);
  }
}

async function dispatch(argv: string[]): Promise<number> {
  const { command, words, options } = read(argv);
  if (options.help) return print(HELP);
  if (options.version) return print(`${(await import("../version.ts")).VERSION}\n`);
  const env = readEnvironment();
  const { stdout, stderr } = process;
  if (words[0] === "keys") {
    const { runKeys } = await import("./keys.ts");
    return runKeys(words.slice(1), options, { env, path: options.config, stdout, stderr });
  }
  switch (command) {
    case "run":
      return runGateway(options, env);
    case "agent":
      return (await import("./agent.ts")).runAgent({ options, env, stdout, stderr, stopped: onStopSignal() });
    case "init":
      return runInit({
        env: { ...env, configPath: resolve(options.config ?? env.configPath) },
        isElsewhere: options.config !== undefined,
        force: options.force ?? false,
        stdout,
      });
    case "status":
      return (await import("./status.ts")).runStatus({ options, env, stdout });
    case "config check":
      return runConfigCheck({ env, path: options.config, stdout });
    default:
      throw new UsageError(`Unknown command: ${command}`);
  }
}

function read(argv: string[]): { command: string; words: string[]; options: Options } {
  try {
    const { positionals, values } = parseArgs({ args: argv, options: OPTIONS, allowPositionals: true });
    return { command: positionals.join(" ") || "run", words: positionals, options: values };
  } catch (error) {
    throw new UsageError((error as Error).message);
  }
}

function print(text: string): number {
  process.stdout.write(text);
  return 0;
}

function complain(message: string, code: number): number {
  process.stderr.write(`${message}\n`);
  return code;
}
