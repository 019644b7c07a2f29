/** What an app does to read answers; made once, as an app does. Each module in `targets/` gives one as `connect`. */
export type Connect = (baseUrl: string) => Read;

/** Streams one answer and gives each piece of its text. */
export type Read = (onText: (text: string) => void) => Promise<void>;

/** What everyone asks for. */
export const QUESTION = "Tell me a story.";
export const MODEL = "openclaw";
export const TOKEN = "bench-token-0123456789";
