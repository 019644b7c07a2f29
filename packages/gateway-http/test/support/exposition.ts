import { expect } from "vitest";

type Labels = Record<string, string>;

interface Sample {
  name: string;
  labels: Labels;
  value: number;
}

const NAME = "[a-zA-Z_:][a-zA-Z0-9_:]*";
const LABEL = `[a-zA-Z_][a-zA-Z0-9_]*="(?:[^"\\\\\\n]|\\\\["\\\\n])*"`;
const SAMPLE = new RegExp(`^(${NAME})(?:\\{(${LABEL}(?:,${LABEL})*)\\})? (\\S+)$`);
const HELP = new RegExp(`^# HELP (${NAME}) (.+)$`);
const TYPE = new RegExp(`^# TYPE (${NAME}) (counter|gauge|histogram|summary)$`);

/** Figures in Prometheus' text format. */
export interface Exposition {
  /** Of the sample with exactly these labels; `undefined` when there is none. */
  value(name: string, labels?: Labels): number | undefined;
  /** All samples of a name. */
  all(name: string): { labels: Labels; value: number }[];
  readonly names: ReadonlySet<string>;
}

/**
 * Reads Prometheus' text format, and insists on it: families in one piece with help and type first, no sample twice,
 * histograms that add up.
 * @see https://prometheus.io/docs/instrumenting/exposition_formats/
 */
export function readExposition(text: string): Exposition {
  expect(text.endsWith("\n"), "ends with a line feed").toBe(true);
  const samples = new Map<string, Sample>();
  const helped = new Set<string>();
  const types = new Map<string, string>();
  let family = "";
  for (const line of text.split("\n").filter((one) => one !== "")) {
    if (line.startsWith("#")) {
      const help = HELP.exec(line)?.[1];
      const [, typed, type = ""] = TYPE.exec(line) ?? [];
      family = help ?? typed ?? "";
      expect(family, line).not.toBe("");
      const seen = help === undefined ? types : helped;
      expect(seen.has(family), `twice: ${line}`).toBe(false);
      if (help === undefined) types.set(family, type);
      else helped.add(family);
      continue;
    }
    const [, name = "", labelText = "", number = ""] = SAMPLE.exec(line) ?? [];
    expect(name, line).not.toBe("");
    const isPart = types.get(family) === "histogram" && /^_(bucket|sum|count)$/.test(name.slice(family.length));
    expect(name === family || (isPart && name.startsWith(family)), `${line}: is of no family`).toBe(true);
    const labels = readLabels(labelText);
    const key = keyOf(name, labels);
    expect(samples.has(key), `twice: ${line}`).toBe(false);
    samples.set(key, { name, labels, value: readNumber(number, line) });
  }
  for (const name of types.keys()) expect(helped, name).toContain(name);
  const all = [...samples.values()];
  for (const [name, type] of types) if (type === "histogram") checkHistogram(name, all);
  return {
    value: (name, labels = {}) => samples.get(keyOf(name, labels))?.value,
    all: (name) => all.filter((sample) => sample.name === name),
    names: new Set(all.map(({ name }) => name)),
  };
}

function readLabels(text: string): Labels {
  const pairs = [...text.matchAll(new RegExp(LABEL, "g"))].map(([pair]) => {
    const at = pair.indexOf("=");
    return [pair.slice(0, at), JSON.parse(pair.slice(at + 1)) as string] as const;
  });
  expect(new Set(pairs.map(([name]) => name)).size, `a label twice: ${text}`).toBe(pairs.length);
  return Object.fromEntries(pairs);
}

function readNumber(text: string, line: string): number {
  if (/^[+-]Inf$/.test(text)) return text.startsWith("-") ? Number.NEGATIVE_INFINITY : Number.POSITIVE_INFINITY;
  const value = Number(text);
  expect(/^nan$/i.test(text) || !Number.isNaN(value), line).toBe(true);
  return value;
}

function checkHistogram(family: string, all: readonly Sample[]): void {
  const ofLabels = ({ labels: { le, ...labels } }: Sample) => keyOf(family, labels);
  const buckets = Map.groupBy(
    all.filter(({ name }) => name === `${family}_bucket`),
    ofLabels,
  );
  for (const sample of all.filter(({ name }) => name === `${family}_count`)) {
    const own = buckets.get(ofLabels(sample)) ?? [];
    const values = own.map(({ value }) => value);
    expect(values, `${family}: buckets add up`).toEqual([...values].sort((a, b) => a - b));
    expect([own.at(-1)?.labels.le, own.at(-1)?.value]).toEqual(["+Inf", sample.value]);
  }
}

function keyOf(name: string, labels: Labels): string {
  return `${name}${JSON.stringify(Object.entries(labels).sort())}`;
}
