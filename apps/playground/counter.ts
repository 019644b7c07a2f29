import { setTimeout as sleep } from "node:timers/promises";
import { defineAgent } from "@openclaw/gateway-http";

/** About as fast as a person reads. Milliseconds. */
const PAUSE_MS = 100;
const COUNTS_TO = 200;
const COUNTS_AT_MOST = 2_000;

/** An answer that takes its time, and of which anybody sees at once whether something is missing or there twice. */
export const counter = defineAgent({
  id: "counter",
  name: "Counter",
  description: `counts to ${COUNTS_TO}, or to the number you say, slowly: time to pull the plug.`,
  async *run({ messages }, { signal }) {
    const asked = /\d+/.exec(JSON.stringify(messages.at(-1)?.content))?.[0];
    const end = Math.min(Number(asked ?? COUNTS_TO), COUNTS_AT_MOST);
    for (let number = 1; number <= end; number++) {
      yield number === 1 ? "1" : ` ${number}`;
      await sleep(PAUSE_MS, undefined, { signal });
    }
  },
});
