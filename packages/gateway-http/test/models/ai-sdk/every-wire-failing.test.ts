import { expect } from "vitest";
import { ask, askStream, hi, openRaw } from "../../support/chat.ts";
import type { Saying } from "../../wires/wire.ts";
import { onEveryWire } from "./on-wire.ts";

const REFUSALS = [
  ["auth", 502, "provider_auth", "false", null],
  ["unknown-model", 502, "provider_model_not_found", "false", null],
  ["rate", 429, "provider_rate_limited", "true", "7"],
  ["server", 502, "provider_error", "true", null],
  ["overloaded", 503, "provider_overloaded", "true", "1"],
  ["too-long", 400, "context_length_exceeded", null, null],
  ["html", 502, "provider_bad_response", "true", null],
] as const;

for (const [kind, status, code, retry, retryAfter] of REFUSALS) {
  const refusal = { status, code, retry, retryAfter };
  onEveryWire(
    `${kind} is ${code} on every wire, streamed or not`,
    { steps: [kind] },
    async (on) =>
      Promise.all(
        [true, false].map(async (stream) => {
          const { response, json } = await ask(on, hi({ stream }));
          const { headers } = response;
          return {
            status: response.status,
            code: json.error.code,
            retry: headers.get("x-should-retry"),
            retryAfter: headers.get("retry-after"),
          };
        }),
      ),
    [refusal, refusal],
  );
}

const BROKEN: [string, Saying, string][] = [
  ["a connection that breaks", { text: ["Half"], instead: "is-cut" }, "provider_bad_response"],
  ["a stream that ends too early", { text: ["Half"], instead: "ends-early" }, "provider_bad_response"],
  ["a failure in the middle", { text: ["Half"], instead: "fails" }, "provider_overloaded"],
];

for (const [title, saying, code] of BROKEN) {
  onEveryWire(
    `${title} ends the answer with ${code}`,
    { steps: [saying] },
    async (on) => {
      const { text, error } = await askStream(on);
      return { text, code: error?.code };
    },
    { text: "Half", code },
  );
}

onEveryWire(
  "a failure before the first word has its own status",
  { steps: [{ instead: "fails" }] },
  async (on) => {
    const { status, json } = await ask(on, hi({ stream: true }));
    return { status, code: json.error.code };
  },
  { status: 503, code: "provider_overloaded" },
);

onEveryWire(
  "a provider that is not there cannot be reached",
  { steps: ["silent"], provider: { baseUrl: "http://127.0.0.1:9/v1" } },
  async (on) => {
    const { status, json } = await ask(on, hi({ stream: true }));
    return { status, code: json.error.code, retry: json.error.type };
  },
  { status: 502, code: "provider_unreachable", retry: "api_error" },
);

onEveryWire(
  "a provider that says nothing is given up, before its answer and in the middle of it",
  { steps: ["silent", { text: ["Half"], instead: "stalls" }], provider: { timeoutSeconds: 0.3 } },
  async (on) => {
    const { status, json } = await ask(on, hi({ stream: true }));
    const { text, error } = await askStream(on);
    return { status, code: json.error.code, text, later: error?.code };
  },
  { status: 504, code: "provider_timeout", text: "Half", later: "provider_timeout" },
);

onEveryWire(
  "words are there before the answer is over, and who leaves closes the provider's connection",
  { steps: [{ text: ["Half"], instead: "stalls" }] },
  async (on) => {
    const client = openRaw(on, hi({ stream: true }));
    const response = await client.response;
    let said = "";
    for await (const bytes of response) {
      said += bytes;
      if (said.includes("Half")) break;
    }
    client.kill();
    return on.standIn.closed(0);
  },
  { early: true },
);

onEveryWire(
  "an answer that came to its end leaves its connection for the next one, streamed or not",
  { steps: [{ text: ["Hi"] }] },
  async (on) => {
    await askStream(on);
    await ask(on);
    await askStream(on);
    return new Set(on.standIn.asked.map(({ peerPort }) => peerPort)).size;
  },
  1,
);

onEveryWire(
  "who leaves before the first word closes the provider's connection, too",
  { steps: ["silent"] },
  async (on) => {
    const client = openRaw(on, hi());
    client.response.catch(() => {});
    await expect.poll(() => on.standIn.asked.length).toBe(1);
    client.kill();
    return on.standIn.closed(0);
  },
  { early: true },
);
