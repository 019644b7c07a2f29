/** What the load client asks of the stand-in. It travels in the user's message, the one thing every gateway forwards. */
export type Ask = {
  tokens: number;
  /** Tokens a second; 0 is flat out. */
  pace: number;
  /** Milliseconds before the first byte. */
  delay: number;
  /** Stop after so many tokens until `POST /control/release`; 0 never stops. */
  hold: number;
};

/** A request is bounded whatever it asks: 2 million tokens are half a gigabyte. */
const MAX_TOKENS = 2_000_000;

export function toAskText(ask: Partial<Ask> & { tokens: number }): string {
  return `bench tokens=${ask.tokens} pace=${ask.pace ?? 0} delay=${ask.delay ?? 0} hold=${ask.hold ?? 0}`;
}

export type RequestBody = {
  stream?: boolean;
  stream_options?: { include_usage?: boolean } | null;
  messages?: { role?: string; content?: string | { text?: string }[] }[];
};

/** Reads the ask from the last user message; what is missing has a default, so that any client can be pointed here. */
export function readAsk(body: RequestBody): Ask {
  const content = body.messages?.findLast((message) => message.role === "user")?.content ?? "";
  const text = typeof content === "string" ? content : content.map((part) => part.text ?? "").join(" ");
  const value = (name: string, fallback: number) => Number(new RegExp(`\\b${name}=(\\d+)`).exec(text)?.[1] ?? fallback);
  return {
    tokens: Math.min(value("tokens", 20), MAX_TOKENS),
    pace: value("pace", 0),
    delay: value("delay", 0),
    hold: value("hold", 0),
  };
}
