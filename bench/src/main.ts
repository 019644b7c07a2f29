/**
 * The bench: every scenario against every target, round after round, with fresh processes each time, so that a machine
 * that becomes slower becomes slower for all. Fails when tokens were lost or a process died, never for being slow.
 */
import { writeFileSync } from "node:fs";
import { type Options, readOptions, USAGE } from "./options.ts";
import { canPin } from "./proc.ts";
import { readOpenFileLimit } from "./proc-stats.ts";
import { type Results, toNotes, toTable } from "./report.ts";
import { runScenario } from "./run-scenario.ts";

const options = readOrExit();
const results: Results = new Map();
const problems: string[] = [];
checkFiles();

for (let round = 1; round <= options.rounds; round++) {
  for (const scenario of options.scenarios) {
    for (const [target, launcher] of options.targets) {
      if (scenario.target && scenario.target !== target) continue;
      const plan = options.quick ? scenario.quick : scenario.full;
      const startedAt = performance.now();
      const run = await runScenario(scenario, plan, launcher, options.standInPort);
      const byTarget = results.get(scenario.name) ?? new Map();
      results.set(scenario.name, byTarget.set(target, [...(byTarget.get(target) ?? []), run]));
      if (run.problem !== null) problems.push(`round ${round}, ${scenario.name}, ${target}: ${run.problem}`);
      const seconds = ((performance.now() - startedAt) / 1000).toFixed(1);
      const state = run.problem === null ? "ok" : `FAILED: ${run.problem}`;
      console.error(`round ${round}/${options.rounds}  ${scenario.name}  ${target}  ${seconds} s  ${state}`);
    }
  }
}

console.log(toTable(options.scenarios, [...options.targets.keys()], results));
const rounds = `${options.rounds} ${options.rounds === 1 ? "round" : "rounds"}${options.quick ? ", quick" : ""}`;
console.log(`\nMedians of ${rounds}; × is the median ratio to the floor (or direct) of the same round.`);
for (const note of toNotes(options.scenarios, results)) console.log(`Note: ${note}.`);
if (!canPin) console.log("Note: not pinned (needs taskset and two cores): the processes shared their cores.");
if (options.json) writeFileSync(options.json, JSON.stringify(toPlain(results), null, 2));
console.log(problems.length === 0 ? "No token was lost." : `\nFAILED\n${problems.join("\n")}`);
process.exit(problems.length === 0 ? 0 : 1);

function readOrExit(): Options {
  try {
    return readOptions(process.argv.slice(2));
  } catch (error) {
    console.error(`${error instanceof Error ? error.message : error}\n${USAGE}`);
    process.exit(2);
  }
}

/** 2,000 streams are 4,000 sockets in a target: said now, not as two thousand failures later. */
function checkFiles(): void {
  const limit = readOpenFileLimit();
  if (limit >= 4500 || !options.scenarios.some(({ name }) => name === "held")) return;
  console.error(`"held" needs 4,500 open files, the limit is ${limit}: raise it with \`ulimit -n 8192\``);
  process.exit(2);
}

function toPlain(map: Results): object {
  return Object.fromEntries([...map].map(([name, byTarget]) => [name, Object.fromEntries(byTarget)]));
}
