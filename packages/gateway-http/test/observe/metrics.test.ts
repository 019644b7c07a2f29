import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { expect, test } from "vitest";
import { createMetrics } from "../../src/observe/metrics.ts";
import { readExposition } from "../support/exposition.ts";

const readings = {
  runsActive: () => 1,
  queueWaiting: () => 2,
  lanesBusy: () => 3,
  lanesWaiting: () => 4,
  streamsOpen: () => 5,
  socketsOpen: () => 6,
};
const run = { outcome: "stop", ms: 12, usage: undefined };

test("docs/operations.md lists every figure with its labels, and no other", async () => {
  const docs = await readFile(join(import.meta.dirname, "../../../../docs/operations.md"), "utf8");
  const rows = [...docs.matchAll(/^\| `(openclaw_\w+)` +\| (\w+) +\| ([^|]*?) +\|/gm)];
  const listed = rows.map(([, name, type, labels = ""]) => [name, type, labels.replaceAll(/[`,]/g, "").trim()]);
  const metrics = createMetrics(readings);
  metrics.run({
    ...run,
    agent: "a",
    firstTokenMs: 1,
    usage: { prompt_tokens: 1, completion_tokens: 1, total_tokens: 2 },
  });
  metrics.call({ provider: "p", code: "provider_timeout", ms: 1 });
  metrics.request({ route: undefined, method: "GET", status: 200 });
  metrics.authFailure("wrong");
  const text = await metrics.text();
  const figures = readExposition(text);
  const made = [...text.matchAll(/^# TYPE (openclaw_\w+) (\w+)$/gm)].map(([, name = "", type]) => {
    const [sample] = figures.all(type === "histogram" ? `${name}_count` : name);
    return [name, type, Object.keys(sample?.labels ?? {}).join(" ")];
  });
  expect(listed.sort()).toEqual(made.sort());
});

test("what happens before anybody asks is counted, however much it is", async () => {
  const metrics = createMetrics(readings);
  for (let index = 0; index < 12_000; index++) metrics.run({ ...run, agent: "main" });
  const figures = readExposition(await metrics.text());
  expect(figures.value("openclaw_runs_total", { agent: "main", outcome: "stop" })).toBe(12_000);
  metrics.run({ ...run, agent: "main" });
  const later = readExposition(await metrics.text());
  expect(later.value("openclaw_runs_total", { agent: "main", outcome: "stop" })).toBe(12_001);
});

test("agents and providers without end do not make labels without end", async () => {
  const metrics = createMetrics(readings);
  for (let index = 0; index < 500; index++) {
    metrics.run({ ...run, agent: `agent-${index}` });
    metrics.call({ provider: `provider-${index}`, ms: 1 });
  }
  const figures = readExposition(await metrics.text());
  expect(figures.all("openclaw_runs_total")).toHaveLength(201);
  expect(figures.value("openclaw_runs_total", { agent: "other", outcome: "stop" })).toBe(300);
  expect(figures.value("openclaw_provider_requests_total", { provider: "other", code: "ok" })).toBe(300);
});

test("an end that is no fault of the provider is no error of it, and figures that are none are not added", async () => {
  const metrics = createMetrics(readings);
  const OURS = [
    ...["abandoned", "run_aborted", "run_timeout", "gateway_draining", "internal_error"],
    ...["context_length_exceeded", "content_filter"],
  ];
  for (const code of [...OURS, "provider_timeout"]) {
    metrics.call({ provider: "p", code, ms: 1 });
  }
  for (const prompt_tokens of [Number.NaN, -5, 7]) {
    metrics.run({ ...run, agent: "main", usage: { prompt_tokens, completion_tokens: 0, total_tokens: 0 } });
  }
  const figures = readExposition(await metrics.text());
  expect(figures.all("openclaw_provider_requests_total")).toHaveLength(8);
  expect(figures.all("openclaw_provider_errors_total").map(({ labels }) => labels.code)).toEqual(["provider_timeout"]);
  expect(figures.value("openclaw_tokens_total", { agent: "main", type: "input" })).toBe(7);
});

test("times are seconds, tokens are whole: known figures add up to known sums", async () => {
  const metrics = createMetrics(readings);
  metrics.run({ ...run, agent: "main", ms: 1500, firstTokenMs: 250 });
  metrics.run({ ...run, agent: "main", ms: 500, firstTokenMs: undefined });
  metrics.run({ ...run, agent: "main", ms: 2000, firstTokenMs: 500 });
  metrics.call({ provider: "p", ms: 125 });
  metrics.call({ provider: "p", code: "provider_error", ms: 750 });
  const figures = readExposition(await metrics.text());
  const sumAndCount = (name: string, labels: Record<string, string>) =>
    ["sum", "count"].map((kind) => figures.value(`openclaw_${name}_${kind}`, labels));
  expect(sumAndCount("run_duration_seconds", { agent: "main" })).toEqual([4, 3]);
  expect(sumAndCount("first_token_seconds", { agent: "main" })).toEqual([0.75, 2]);
  expect(sumAndCount("provider_request_duration_seconds", { provider: "p" })).toEqual([0.875, 2]);
  expect(figures.value("openclaw_run_duration_seconds_bucket", { agent: "main", le: "1" })).toBe(1);
  const gauges = ["runs_active", "queue_waiting", "lanes_busy", "lanes_waiting", "streams_open", "sockets_open"];
  expect(gauges.map((name) => figures.value(`openclaw_${name}`))).toEqual([1, 2, 3, 4, 5, 6]);
});
