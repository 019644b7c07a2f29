import type { Figures } from "./reader.ts";

/** By mode and target, one of each round. */
export type Results = Map<string, Map<string, Figures[]>>;

const MODE_TITLES: Record<string, string> = {
  flat: "One long stream, in writes of 16 KiB",
  single: "One long stream, a write an event",
  paced: "20 streams, an event each 4 ms",
  held: "200 streams at a time",
};
const ROWS: { label: string; modes: string[]; pick(figures: Figures): number | undefined }[] = [
  { label: "chunks a second", modes: ["flat", "single", "held"], pick: (figures) => figures.chunksPerSecond },
  { label: "CPU, µs a chunk", modes: ["flat", "single", "paced", "held"], pick: (figures) => figures.cpuPerChunk },
  { label: "promises a chunk", modes: ["flat", "paced"], pick: (figures) => figures.promisesPerChunk },
  {
    label: "peak memory above the start, MiB",
    modes: ["flat", "held"],
    pick: (figures) => figures.peakMemory / 2 ** 20,
  },
  {
    label: "live heap of an open stream, KiB",
    modes: ["held"],
    pick: ({ heapPerStream }) => heapPerStream && heapPerStream / 2 ** 10,
  },
];

/** In Markdown. */
export function toTable(targets: string[], results: Results, sizes: Map<string, number>): string {
  const shipped = targets.map((target) => ((sizes.get(target) ?? 0) / 1024).toFixed(1));
  const lines = [
    toLine("", targets),
    toLine(
      "---",
      targets.map(() => "---:"),
    ),
    toLine("bundle, KiB gzipped", shipped),
  ];
  for (const [mode, byTarget] of results) {
    lines.push(
      toLine(
        `**${MODE_TITLES[mode] ?? mode}**`,
        targets.map(() => ""),
      ),
    );
    for (const { label, modes, pick } of ROWS) {
      if (!modes.includes(mode)) continue;
      const floor = byTarget.get("floor")?.map(pick) ?? [];
      lines.push(
        toLine(
          label,
          targets.map((target) => toCell(byTarget.get(target)?.map(pick) ?? [], floor)),
        ),
      );
    }
  }
  return lines.join("\n");
}

function toLine(label: string, cells: string[]): string {
  return `| ${[label, ...cells].join(" | ")} |`;
}

function toCell(values: (number | undefined)[], floor: (number | undefined)[]): string {
  const value = median(values);
  if (value === undefined) return "–";
  const ratio =
    values === floor ? undefined : median(values.map((own, round) => own && floor[round] && own / floor[round]));
  return toText(value) + (ratio === undefined ? "" : ` (${ratio.toFixed(2)}×)`);
}

function median(values: (number | undefined)[]): number | undefined {
  const known = values.filter((value) => value !== undefined).sort((a, b) => a - b);
  return known[Math.floor(known.length / 2)];
}

function toText(value: number): string {
  if (value >= 10_000) return `${Math.round(value / 1000)}k`;
  return value.toFixed(value >= 100 ? 0 : value >= 10 ? 1 : 2);
}
