import { type Figures, quantile } from "./load/load-client.ts";
import type { Run } from "./run-scenario.ts";
import type { Bound, Row, Scenario } from "./scenario.ts";

/** Runs by scenario, target and round. */
export type Results = Map<string, Map<string, Run[]>>;

/** From this share of a core on a process counts as being at its limit. */
const BUSY = 0.9;

/** The Markdown table: medians of the rounds, each with the median of its ratios to the floor of the same round. */
export function toTable(scenarios: Scenario[], targets: string[], results: Results): string {
  const lines = [`| | ${targets.join(" | ")} | gate | aim |`, `|---|${"---:|".repeat(targets.length)}---|---|`];
  for (const scenario of scenarios) {
    const runs = results.get(scenario.name) ?? new Map<string, Run[]>();
    for (const row of scenario.rows) {
      const cells = targets.map((target) => toCell(row, target, runs));
      lines.push(
        `| ${row.label} | ${cells.join(" | ")} | ${toLimit(row.bound, "gate")} | ${toLimit(row.bound, "aim")} |`,
      );
    }
  }
  return lines.join("\n");
}

/** What makes a figure doubtful: the load at its own limit, or a machine that was busy with something else. */
export function toNotes(scenarios: Scenario[], results: Results): string[] {
  const notes: string[] = [];
  for (const { name, isSaturating } of scenarios) {
    for (const [target, runs] of results.get(name) ?? []) {
      const load = median(runs.map((run) => toFinite(run.figures.loadShare))) ?? 0;
      const own = median(runs.map((run) => toFinite(run.figures.targetShare)));
      const shares = `it used ${toPercent(own ?? 0)} of its core, stand-in and load ${toPercent(load)} of theirs`;
      if (own === null) continue;
      if (load > BUSY && own < BUSY) notes.push(`${name}, ${target} is a lower bound: ${shares}`);
      if (isSaturating && load < BUSY && own < BUSY) notes.push(`${name}, ${target} had no core to itself: ${shares}`);
      if (!isSaturating && own > BUSY) notes.push(`${name}, ${target} was saturated: ${shares}`);
    }
  }
  return notes;
}

function toPercent(share: number): string {
  return `${(share * 100).toFixed(0)} %`;
}

function toCell(row: Row, target: string, runs: Map<string, Run[]>): string {
  const own = runs.get(target) ?? [];
  const values = own.map((run, round) => figureOf(row, run.figures, runs.get("direct")?.[round]?.figures));
  const value = median(values);
  if (value === null) return own.some((run) => run.problem !== null) ? "failed" : "–";
  const base = row.bound?.of === "direct" ? "direct" : "floor";
  const ratio = median(values.map((one, round) => ratioTo(base, one, round)));
  const shown = ratio === null || target === base || target === "direct" ? "" : ` (${toText(ratio)}×)`;
  return `${toText(value)}${shown}${toVerdict(row.bound, target, value, ratio)}`;

  function ratioTo(name: string, one: number | null, round: number): number | null {
    const direct = runs.get("direct")?.[round]?.figures;
    const other = figureOf(row, runs.get(name)?.[round]?.figures ?? {}, direct);
    return one === null || other === null || other === 0 ? null : one / other;
  }
}

function figureOf(row: Row, figures: Figures, direct: Figures | undefined): number | null {
  const value = toFinite(figures[row.figure]);
  if (!row.aboveDirect || value === null) return value;
  const below = toFinite(direct?.[row.figure]);
  return below === null ? null : value - below;
}

/** JSON has no NaN: what a target could not be asked for comes as null. */
function toFinite(value: number | null | undefined): number | null {
  return typeof value === "number" && Number.isFinite(value) ? value : null;
}

function median(values: (number | null)[]): number | null {
  const known = values.filter((value) => value !== null);
  return known.length === 0 ? null : quantile(known, 0.5);
}

/** Direct and floor are what is compared with; a verdict on them would mean nothing. */
function toVerdict(bound: Bound | undefined, target: string, value: number, ratio: number | null): string {
  const measured = bound?.of === "itself" ? value : ratio;
  if (!bound || measured === null || target === "direct" || target === "floor") return "";
  const keeps = (limit: number) => (bound.sense === "min" ? measured >= limit : measured <= limit);
  if (keeps(bound.aim)) return " aim ok";
  return keeps(bound.gate) ? " gate ok" : " **gate miss**";
}

function toLimit(bound: Bound | undefined, kind: "gate" | "aim"): string {
  if (!bound) return "";
  return `${bound.sense === "min" ? "≥" : "≤"} ${bound[kind]}${bound.of === "itself" ? "" : ` × ${bound.of}`}`;
}

function toText(value: number): string {
  const size = Math.abs(value);
  if (size >= 10_000) return `${(value / 1000).toFixed(1)}k`;
  return size >= 100 ? value.toFixed(0) : size >= 10 ? value.toFixed(1) : value.toFixed(2);
}
