/** What the three snippets have in common: the request that Send would make. */
export interface SnippetInput {
  readonly baseUrl: string;
  readonly model: string;
  readonly sessionKey: string;
  readonly text: string;
  /** Whether the gateway wants a token. The snippets never hold it. */
  readonly needsToken: boolean;
}

export interface Snippet {
  readonly id: "curl" | "openai" | "client";
  readonly label: string;
  readonly code: string;
}

export function toSnippets(input: SnippetInput): readonly Snippet[] {
  return [
    { id: "curl", label: "curl", code: toCurl(input) },
    { id: "openai", label: "openai", code: toOpenAI(input) },
    { id: "client", label: "@openclaw/client", code: toClient(input) },
  ];
}

function toCurl({ baseUrl, model, sessionKey, text, needsToken }: SnippetInput): string {
  const body = `{
    "model": ${JSON.stringify(model)},
    "stream": true,
    "stream_options": { "include_usage": true },
    "messages": [{ "role": "user", "content": ${JSON.stringify(text)} }]
  }`;
  return [
    `curl -N ${baseUrl}/v1/chat/completions`,
    ...(needsToken ? [`-H "Authorization: Bearer $TOKEN"`] : []),
    `-H 'Content-Type: application/json'`,
    `-H ${quoteForShell(`x-openclaw-session-key: ${encodeKey(sessionKey)}`)}`,
    `-H 'x-openclaw-events: 1'`,
    `-d ${quoteForShell(body)}`,
  ].join(" \\\n  ");
}

function toOpenAI({ baseUrl, model, sessionKey, text, needsToken }: SnippetInput): string {
  return `import OpenAI from "openai";

const client = new OpenAI({
  baseURL: ${JSON.stringify(`${baseUrl}/v1`)},
  apiKey: ${JSON.stringify(needsToken ? "YOUR_TOKEN" : "none")},
});

const stream = await client.chat.completions.create(
  {
    model: ${JSON.stringify(model)},
    messages: [{ role: "user", content: ${JSON.stringify(text)} }],
    stream: true,
    stream_options: { include_usage: true },
  },
  {
    headers: {
      "x-openclaw-session-key": ${JSON.stringify(encodeKey(sessionKey))},
      "x-openclaw-events": "1",
    },
  },
);

for await (const chunk of stream) {
  process.stdout.write(chunk.choices[0]?.delta.content ?? "");
}`;
}

function toClient({ baseUrl, model, sessionKey, text, needsToken }: SnippetInput): string {
  return `import { createClient } from "@openclaw/client";

const client = createClient({
  baseUrl: ${JSON.stringify(baseUrl)},${needsToken ? '\n  token: "YOUR_TOKEN",' : ""}
});

const stream = await client.chat.completions.create(
  {
    model: ${JSON.stringify(model)},
    messages: [{ role: "user", content: ${JSON.stringify(text)} }],
    stream: true,
    stream_options: { include_usage: true },
  },
  { sessionKey: ${JSON.stringify(sessionKey)}, activity: true },
);

for await (const chunk of stream) {
  if (chunk.openclaw) console.error(chunk.openclaw);
  process.stdout.write(chunk.choices[0]?.delta.content ?? "");
}`;
}

/** As the header has it: a session that was opened may have any text as its key. */
function encodeKey(sessionKey: string): string {
  return encodeURIComponent(sessionKey).replaceAll("%3A", ":");
}

/** In single quotes, where a POSIX shell leaves everything as it is. */
function quoteForShell(text: string): string {
  return `'${text.replaceAll("'", "'\\''")}'`;
}
