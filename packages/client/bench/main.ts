/**
 * The client's benchmark: the same streams read by this client and by others, round after round in fresh processes that
 * take turns, so that a machine that becomes slower becomes slower for all. Fails when text was lost, never for being
 * slow. `--rounds 5`, `--modes flat,paced`, `--targets floor,openclaw`, `--quick`.
 */
import { type ChildProcess, fork } from "node:child_process";
import { once } from "node:events";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { measureBundle } from "./bundle.ts";
import type { Figures, Job } from "./reader.ts";
import { type Results, toTable } from "./table.ts";

/** Milliseconds that one process may take. */
const LIMIT = 120_000;
const TARGETS = ["floor", "openclaw", "openai", "ai-sdk-parser", "ai-sdk"];
const MODES: Record<string, Pick<Job, "chunks" | "streams">> = {
  flat: { chunks: 60_000, streams: 1 },
  single: { chunks: 20_000, streams: 1 },
  paced: { chunks: 400, streams: 20 },
  held: { chunks: 300, streams: 200 },
};

const { values } = parseArgs({
  options: {
    rounds: { type: "string" },
    modes: { type: "string", default: Object.keys(MODES).join() },
    targets: { type: "string", default: TARGETS.join() },
    quick: { type: "boolean", default: false },
  },
});
const targets = values.targets.split(",");
const modes = values.modes.split(",");
const rounds = Number(values.rounds ?? (values.quick ? 1 : 5));

const sizes = new Map<string, number>();
for (const target of targets) sizes.set(target, await measureBundle(target));

const server = start("server.ts");
const [{ port }] = (await once(server, "message")) as [{ port: number }];
const url = `http://127.0.0.1:${port}`;
const results: Results = new Map(modes.map((mode) => [mode, new Map(targets.map((target) => [target, []]))]));
try {
  for (let round = 0; round < rounds; round++) {
    for (const mode of modes) {
      // Nobody is always the one after the same.
      const turn = round % targets.length;
      for (const target of [...targets.slice(turn), ...targets.slice(0, turn)]) {
        const figures = await read(target, mode);
        results.get(mode)?.get(target)?.push(figures);
        console.error(`round ${round + 1}/${rounds}  ${mode}  ${target}  ${figures.cpuPerChunk.toFixed(2)} µs a chunk`);
      }
    }
  }
} finally {
  server.kill();
}
console.log(toTable(targets, results, sizes));
console.log(`\nNode ${process.version}, medians of ${rounds}; × is the median ratio to the floor of the same round.`);

async function read(target: string, mode: string): Promise<Figures> {
  const size = MODES[mode];
  if (!size) throw new Error(`There is no mode ${mode}.`);
  const chunks = values.quick ? Math.max(60, size.chunks / 10) : size.chunks;
  const job: Job = { target, url, mode, chunks, streams: size.streams, warmUp: values.quick ? 2_000 : 10_000 };
  const child = start("reader.ts", JSON.stringify(job));
  const timer = setTimeout(() => child.kill("SIGKILL"), LIMIT);
  try {
    const figures = once(child, "message");
    const [answer] = await Promise.race([figures, once(child, "exit").then(() => [undefined])]);
    if (!answer) throw new Error(`${target} did not read ${mode} to the end.`);
    return answer as Figures;
  } finally {
    clearTimeout(timer);
    child.kill();
  }
}

function start(file: string, ...args: string[]): ChildProcess {
  return fork(fileURLToPath(new URL(file, import.meta.url)), args, {
    execArgv: ["--conditions=@openclaw/source", "--expose-gc", "--no-warnings"],
  });
}
