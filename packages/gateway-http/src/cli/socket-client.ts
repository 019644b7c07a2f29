import { randomUUID } from "node:crypto";
import { SOCKET_PROTOCOL } from "@openclaw/protocol";
import {
  type ConnectParamsInput,
  type EventFrame,
  eventFrameSchema,
  helloOkSchema,
  type ResponseFrame,
  responseFrameSchema,
  SOCKET_EVENTS,
  SOCKET_METHODS,
  type SocketEventPayload,
  type SocketMethodName,
  type SocketParams,
  type SocketResult,
} from "@openclaw/protocol/socket";
import { WebSocket } from "ws";
import { VERSION } from "../version.ts";
import { parseFrame } from "../ws/parse-frame.ts";
import { ConnectionLostError, NotUnderstoodError, RefusedError } from "./socket-errors.ts";

interface Waiting {
  isLast(payload: unknown): boolean;
  resolve(payload: unknown): void;
  reject(error: Error): void;
}

/** A connection to the Gateway socket. */
export class SocketClient {
  /** Told of what is said in runs, in order. */
  onChat: ((chat: SocketEventPayload<"chat">) => void) | undefined;
  /** Another one after a restart of the gateway. */
  bootId: string | undefined;
  /** The agent it takes when none is named. */
  defaultAgentId = "main";
  readonly #socket: WebSocket;
  readonly #challenged = Promise.withResolvers<void>();
  readonly #waiting = new Map<string, Waiting>();
  #silence: NodeJS.Timeout | undefined;

  constructor(socket: WebSocket) {
    this.#socket = socket;
    this.#challenged.promise.catch(() => {});
    socket.on("message", (data) => this.#take(String(data)));
    // "close" comes after it.
    socket.on("error", () => {});
    socket.on("close", () => this.#end());
  }

  /**
   * Says hello.
   * @throws RefusedError, ConnectionLostError, NotUnderstoodError
   */
  async connect(token: string | undefined): Promise<void> {
    await this.#challenged.promise;
    const params: ConnectParamsInput = {
      minProtocol: SOCKET_PROTOCOL,
      maxProtocol: SOCKET_PROTOCOL,
      client: { id: "cli", mode: "cli", version: VERSION, platform: process.platform },
      scopes: ["operator.read", "operator.write"],
      ...(token !== undefined && { auth: { token } }),
    };
    const { data } = helloOkSchema.safeParse(await this.#ask("connect", params, () => true));
    if (!data) throw new NotUnderstoodError("The gateway's hello is none that is understood here.");
    this.bootId = data.server.bootId;
    this.defaultAgentId = data.snapshot.sessionDefaults?.defaultAgentId ?? this.defaultAgentId;
    // A connection may be dead without a word. Whatever comes is a sign of life, and ticks do.
    this.#silence = setTimeout(() => this.#socket.terminate(), 2 * data.policy.tickIntervalMs);
  }

  /**
   * @param isLast whether this is the answer that is meant, where a method answers more than once
   * @throws RefusedError, ConnectionLostError, NotUnderstoodError
   */
  async request<Name extends SocketMethodName>(
    method: Name,
    params: SocketParams<Name>,
    isLast: (result: SocketResult<Name>) => boolean = () => true,
  ): Promise<SocketResult<Name>> {
    const { result } = SOCKET_METHODS[method];
    const read = (payload: unknown): SocketResult<Name> | undefined =>
      result.safeParse(payload).data as SocketResult<Name> | undefined;
    const payload = await this.#ask(method, params, (answer) => {
      const data = read(answer);
      return data === undefined || isLast(data);
    });
    const data = read(payload);
    if (data === undefined) throw new NotUnderstoodError(`The gateway's answer to ${method} is not understood here.`);
    return data;
  }

  /** Ends the connection at once. */
  end(): void {
    this.#socket.terminate();
  }

  #ask(method: string, params: unknown, isLast: Waiting["isLast"]): Promise<unknown> {
    const { promise, resolve, reject } = Promise.withResolvers<unknown>();
    if (this.#socket.readyState !== WebSocket.OPEN) throw new ConnectionLostError();
    const id = randomUUID();
    this.#waiting.set(id, { isLast, resolve, reject });
    this.#socket.send(JSON.stringify({ type: "req", id, method, params }));
    return promise;
  }

  #take(text: string): void {
    this.#silence?.refresh();
    const frame = parseFrame(text);
    const event = eventFrameSchema.safeParse(frame).data;
    const response = responseFrameSchema.safeParse(frame).data;
    if (event) this.#hear(event);
    else if (response) this.#answer(response);
  }

  #hear({ event, payload }: EventFrame): void {
    if (event === "connect.challenge") this.#challenged.resolve();
    const chat = event === "chat" ? SOCKET_EVENTS.chat.safeParse(payload).data : undefined;
    if (chat) this.onChat?.(chat);
  }

  #answer(response: ResponseFrame): void {
    const waiting = this.#waiting.get(response.id);
    if (!waiting) return;
    if (response.ok && !waiting.isLast(response.payload)) return;
    this.#waiting.delete(response.id);
    if (response.ok) waiting.resolve(response.payload);
    else waiting.reject(new RefusedError(response));
  }

  #end(): void {
    clearTimeout(this.#silence);
    this.#challenged.reject(new ConnectionLostError());
    for (const { reject } of this.#waiting.values()) reject(new ConnectionLostError());
    this.#waiting.clear();
  }
}
