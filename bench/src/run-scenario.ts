import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { type Figures, type Job, quantile } from "./load/load-client.ts";
import type { Target } from "./load/request.ts";
import type { Outcome } from "./load.ts";
import { LOAD_CORE, launch } from "./proc.ts";
import { readRssKib } from "./proc-stats.ts";
import type { Scenario } from "./scenario.ts";
import type { IdlePlan } from "./scenarios.ts";
import { type Launcher, type Live, startStandIn } from "./targets.ts";

/** `problem` is what makes the bench fail: lost tokens, a dead process, a load that did not end. */
export type Run = { figures: Figures; problem: string | null };

/** One scenario against one target, every process fresh. It does not reject: a target that fails is a finding. */
export async function runScenario(
  scenario: Scenario,
  plan: unknown,
  launcher: Launcher,
  standInPort: number | undefined,
): Promise<Run> {
  const standIn = await startStandIn(standInPort);
  try {
    if (scenario.name === "idle") return { figures: await runIdle(plan as IdlePlan, launcher), problem: null };
    const lives: Live[] = [];
    try {
      for (const setup of scenario.gateways?.(plan) ?? [{}]) lives.push(await launcher(standIn.target, setup));
      const { deadlineMs, name } = scenario;
      const [target, second] = lives.map((live) => live.target) as [Target, Target?];
      const job = { scenario: name, plan, deadlineMs, target, standIn: standIn.target };
      const outcome = await runLoad(second ? { ...job, second } : job);
      const deaths = [
        ...lives.map((live) => toDeath("the target", live.running)),
        toDeath("the stand-in", standIn.running),
      ];
      const problems = [...deaths, toLoss(outcome)].filter((problem) => problem !== null);
      return { figures: outcome.figures, problem: problems.join("; ") || null };
    } finally {
      for (const live of lives) await live.stop();
    }
  } catch (error) {
    return { figures: {}, problem: error instanceof Error ? error.message : String(error) };
  } finally {
    await standIn.stop();
  }

  /** Memory before the first request, and the time from the start of the process to its being ready. */
  async function runIdle({ starts, settleMs }: IdlePlan, start: Launcher): Promise<Figures> {
    const figures = { idleMib: [] as number[], coldStartMs: [] as number[] };
    for (let count = 0; count < starts; count++) {
      const live = await start(standIn.target);
      await sleep(settleMs);
      const { pid } = live.target;
      // Only of what was started here: a peer has been up, and at work, for some time.
      if (live.running && pid !== null) figures.idleMib.push(readRssKib(pid) / 1024);
      figures.coldStartMs.push(live.coldStartMs);
      await live.stop();
    }
    return { idleMib: quantile(figures.idleMib, 0.5), coldStartMs: quantile(figures.coldStartMs, 0.5) };
  }
}

async function runLoad(job: Job): Promise<Outcome> {
  let output = "";
  const load = launch([fileURLToPath(new URL("./load.ts", import.meta.url)), JSON.stringify(job)], {
    core: LOAD_CORE,
    hasChannel: true,
    onOutput: (text) => {
      output += text;
    },
  });
  // The load has its own deadline; this one is for a load that cannot keep it.
  const timer = setTimeout(() => load.stop(), job.deadlineMs + 5000);
  await load.ended;
  clearTimeout(timer);
  if (output === "") throw new Error(`the load client ended without figures: ${load.death}\n${load.log}`);
  return JSON.parse(output) as Outcome;
}

function toDeath(name: string, running: { death: string | null; log: string } | null): string | null {
  return running?.death ? `${name} died (${running.death}):\n${running.log}` : null;
}

function toLoss({ expected, received, failures }: Outcome): string | null {
  if (failures.length === 0 && received === expected) return null;
  return `${expected - received} of ${expected} tokens lost, ${failures.length} failures. ${failures.slice(0, 2).join(" | ")}`;
}
