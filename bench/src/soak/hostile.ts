import { connect } from "node:net";
import { setTimeout as sleep } from "node:timers/promises";
import type { Stage } from "./crowd.ts";
import { exchange } from "./exchange.ts";
import { TOKEN } from "./gateway.ts";
import { seeded } from "./random.ts";

const HEAD = "POST /v1/chat/completions HTTP/1.1\r\nhost: 127.0.0.1\r\n";
const AUTH = `authorization: Bearer ${TOKEN}\r\ncontent-type: application/json\r\n`;

/** How long a client waits before it goes: one with half a request, and any other. */
const HALF_MS = 3000;
const PATIENCE_MS = 60_000;
const HALF = "half a request";

/** What no client of ours sends, and the first line of what may come back; `""` is a closed connection. */
const GARBAGE: readonly (readonly [name: string, bytes: string, expected: RegExp])[] = [
  ["no HTTP", "\x16\x03\x01\x02\x00\x01\x00\x01\xfc", /^(HTTP\/1\.1 400|$)/],
  ["no line", "GET\r\n\r\n", /^HTTP\/1\.1 400/],
  ["bad JSON", `${HEAD}${AUTH}content-length: 9\r\n\r\n{"model":`, /^HTTP\/1\.1 400/],
  ["no credentials", `${HEAD}content-length: 0\r\n\r\n`, /^HTTP\/1\.1 401/],
  ["another host", "GET /v1/models HTTP/1.1\r\nhost: evil.example\r\n\r\n", /^HTTP\/1\.1 403/],
  ["two lengths", `${HEAD}${AUTH}content-length: 5\r\ncontent-length: 6\r\n\r\nhello`, /^HTTP\/1\.1 400/],
  [
    "length and chunks",
    `${HEAD}${AUTH}content-length: 5\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n`,
    /^HTTP\/1\.1 400/,
  ],
  ["bad chunk", `${HEAD}${AUTH}transfer-encoding: chunked\r\n\r\nzz\r\n`, /^HTTP\/1\.1 400/],
  ["huge head", `GET / HTTP/1.1\r\nx: ${"y".repeat(100_000)}\r\n\r\n`, /^HTTP\/1\.1 431/],
  ["huge body", `${HEAD}${AUTH}content-length: 99999999999\r\n\r\n`, /^HTTP\/1\.1 413/],
  ["deep", `${HEAD}${AUTH}content-length: 20000\r\n\r\n${"[".repeat(20_000)}`, /^HTTP\/1\.1 400/],
  [
    "form",
    `${HEAD}authorization: Bearer ${TOKEN}\r\ncontent-type: text/plain\r\ncontent-length: 2\r\n\r\n{}`,
    /^HTTP\/1\.1 415/,
  ],
  [HALF, `${HEAD}${AUTH}content-length: 100\r\n\r\n{`, /^$/],
];

export async function keepMisbehaving({ port, account, isOver }: Stage, seed: string): Promise<void> {
  const random = seeded(seed);
  while (!isOver()) {
    await sleep(random.between(50, 500));
    const [name, bytes, expected] = random.pick(GARBAGE);
    const line = await send(port, bytes, name === HALF ? HALF_MS : PATIENCE_MS);
    account.count("garbage", line.slice(0, 12) || "closed");
    if (!expected.test(line)) account.violate(`garbage "${name}": ${line.slice(0, 12) || "closed"}`, line);
  }
}

/** Guesses tokens, beside those who have one. */
export async function keepGuessing({ port, account, isOver }: Stage, seed: string): Promise<void> {
  const random = seeded(seed);
  while (!isOver()) {
    await sleep(random.between(200, 2000));
    const token = `guess-${random.between(0, 1e9)}`;
    const answer = await exchange(port, { token, path: "/v1/models" });
    account.judge("guess", answer, ["invalid_api_key", "too_many_failed_attempts"]);
  }
}

/** The first line of what comes back. */
function send(port: number, bytes: string, patienceMs: number): Promise<string> {
  return new Promise((resolve) => {
    let text = "";
    const socket = connect({ port, host: "127.0.0.1" }, () => socket.write(bytes, "latin1"));
    socket.setTimeout(patienceMs, () => socket.destroy());
    socket.on("error", () => {});
    socket.setEncoding("latin1").on("data", (piece) => {
      text += piece;
      if (text.includes("\r\n")) socket.destroy();
    });
    socket.on("close", () => resolve(text.split("\r\n")[0] ?? ""));
  });
}
