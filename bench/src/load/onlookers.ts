import { microsNow } from "../clock.ts";
import { GatewaySocket } from "./gateway-socket.ts";
import type { LoadClient } from "./load-client.ts";
import type { Target } from "./request.ts";
import { isWhole, type Said } from "./socket-run.ts";

/** Of one address that have not said hello the gateway lets 32 wait. */
const AT_A_TIME = 24;
const FINAL = Buffer.from('"state":"final"');

/** Clients of the same token that use none of the sessions: all that is said in them they may hear. */
export class Onlookers {
  /** Milliseconds that a run was over for them after it was for who asked. */
  lags: number[] = [];
  readonly #client: LoadClient;
  readonly #sockets: GatewaySocket[] = [];
  readonly #said = new Map<string, Said>();
  /** Those that are still to hear of the end of a run. */
  readonly #waiting = new Map<string, Set<number>>();
  #allHeard: (() => void) | undefined;
  /** Came before who asked had it all. */
  readonly #early: { socket: number; sessionKey: string; text: string }[] = [];

  constructor(client: LoadClient) {
    this.#client = client;
  }

  get events(): number {
    return this.#sockets.reduce((sum, { events }) => sum + events, 0);
  }

  get missed(): number {
    return this.#sockets.reduce((sum, { missed }) => sum + missed, 0);
  }

  async connect(target: Target, count: number): Promise<void> {
    const { failures } = this.#client;
    for (let first = 0; first < count && !this.#client.isBroken; first += AT_A_TIME) {
      const made = Array.from({ length: Math.min(AT_A_TIME, count - first) }, (_, position) => {
        const socket = first + position;
        return new GatewaySocket(target, {
          scope: "operator.read",
          onEvent: (bytes) => this.#hear(socket, bytes),
          onFailure: (reason) => failures.push(reason),
        });
      });
      this.#sockets.push(...made);
      await Promise.all(made.map(({ ready }) => ready));
    }
  }

  /** All are to hear the end of this run, once, with these words. */
  expect(sessionKey: string, said: Said): void {
    if (this.#sockets.length === 0) return;
    this.#said.set(sessionKey, said);
    this.#waiting.set(sessionKey, new Set(this.#sockets.keys()));
    const known = this.#early.filter((one) => one.sessionKey === sessionKey);
    for (const { socket, text } of known) this.#judge(socket, sessionKey, text);
  }

  /** Settles when all have heard all that they were to hear. Who never does is a failure. */
  async untilHeard(timeoutMs: number): Promise<void> {
    if (this.#waiting.size === 0) return;
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#allHeard = resolve;
    const timer = setTimeout(resolve, timeoutMs);
    await promise;
    clearTimeout(timer);
    for (const [key, waiting] of this.#waiting) {
      this.#client.failures.push(`${waiting.size} who look on did not hear the end of ${key}`);
    }
    this.#waiting.clear();
  }

  destroy(): void {
    for (const socket of this.#sockets) socket.destroy();
    this.#sockets.length = 0;
  }

  #hear(socket: number, bytes: Buffer): void {
    if (bytes.indexOf(FINAL) < 0) return;
    const { event, payload } = JSON.parse(bytes.toString());
    if (event !== "chat" || payload.state !== "final") return;
    const text = payload.message?.content?.[0]?.text ?? "";
    if (this.#said.has(payload.sessionKey)) this.#judge(socket, payload.sessionKey, text);
    else this.#early.push({ socket, sessionKey: payload.sessionKey, text });
  }

  #judge(socket: number, sessionKey: string, text: string): void {
    const said = this.#said.get(sessionKey) as Said;
    const waiting = this.#waiting.get(sessionKey);
    if (!waiting?.delete(socket)) this.#client.failures.push(`who looks on heard the end of ${sessionKey} twice`);
    if (said.text === undefined && isWhole(text, said.tokens)) said.text = text;
    if (text !== said.text) this.#client.failures.push(`who looks on heard other words of ${sessionKey}: ${text}`);
    this.lags.push(Math.max(0, microsNow() - said.at) / 1000);
    if (waiting?.size === 0) this.#waiting.delete(sessionKey);
    if (this.#waiting.size === 0) this.#allHeard?.();
  }
}
