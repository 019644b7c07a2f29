/** `stateFolder` is known of a gateway that was started here. */
export type Target = { port: number; token: string; model: string; pid: number | null; stateFolder?: string };
export type Message = { role: "user" | "assistant"; content: string };
type Request = { stream: boolean; messages: Message[]; sessionKey?: string };

/** The bytes of a request, head and body. */
export function toRequestBytes({ port, token, model }: Target, { stream, messages, sessionKey }: Request): Buffer {
  const body = JSON.stringify({ model, stream, messages });
  const head = [
    "POST /v1/chat/completions HTTP/1.1",
    `host: 127.0.0.1:${port}`,
    `authorization: Bearer ${token}`,
    "content-type: application/json",
    `content-length: ${body.length}`,
    ...(sessionKey === undefined ? [] : [`x-openclaw-session-key: ${sessionKey}`]),
  ];
  return Buffer.from(`${head.join("\r\n")}\r\n\r\n${body}`, "latin1");
}
