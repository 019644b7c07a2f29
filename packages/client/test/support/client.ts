import { type ClientOptions, createClient } from "../../src/index.ts";

export const TOKEN = "test-token-0123456789";
export const BASE_URL = "http://gateway.test";
export const CHAT_URL = `${BASE_URL}/v1/chat/completions`;

export const hi = { model: "openclaw", messages: [{ role: "user" as const, content: "hi" }] };

export function makeClient(options: Partial<ClientOptions> = {}) {
  return createClient({ baseUrl: BASE_URL, token: TOKEN, ...options });
}

/** A client whose requests this answers, one after the other; the last answer is given again. */
export function scripted(...answers: (Response | Error | (() => Response | Promise<Response>))[]) {
  const requests: { url: string; init: RequestInit }[] = [];
  const client = makeClient({
    fetch: async (url, init) => {
      const answer = answers[Math.min(requests.length, answers.length - 1)];
      requests.push({ url, init });
      if (answer instanceof Error) throw answer;
      return answer instanceof Response ? answer.clone() : (answer as () => Response)();
    },
  });
  return { client, requests, create: () => client.chat.completions.create(hi) };
}

/** What a promise rejects with. */
export async function failureOf(promise: Promise<unknown>): Promise<Error & Record<string, unknown>> {
  const value = await promise.then(
    (value) => ({ value }),
    (error) => ({ error }),
  );
  if ("error" in value) return value.error;
  throw new Error(`Expected a failure, got ${JSON.stringify(value.value)}`);
}
