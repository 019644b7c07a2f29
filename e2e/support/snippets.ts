import { readFile } from "node:fs/promises";
import { join } from "node:path";

/** What a snippet does, and what the text around it takes as given. */
export interface Snippet {
  /** On standard output. */
  prints: string;
  /** What the given `params` say. */
  said?: string;
  /** Code that shows what the snippet made. */
  after?: string;
  /** Lines for standard input. */
  types?: string;
}

/** Declarations that stand for what a reader has, by their names. */
const GIVEN = {
  baseUrl: () => `"http://127.0.0.1:18789"`,
  token: () => `process.env.OPENCLAW_GATEWAY_TOKEN as string`,
  client: () => `createClient({ baseUrl, token })`,
  params: (said: string) => `{ messages: [{ role: "user" as const, content: ${JSON.stringify(said)} }] }`,
  stream: () => `await client.chat.completions.create({ ...params, stream: true })`,
  save: () => `async (chunks: AsyncIterable<object>, n = 0) => { for await (const _ of chunks) n++; return n; }`,
  show: () => `((last) => (text: string) => { if (text !== last) console.log(last = text); })("")`,
  render: () => `(..._: unknown[]) => {}`,
  isEnough: () => `((chunks) => () => ++chunks === 3)(0)`,
  fetchWeather: () => `async (city: string, signal: AbortSignal) => \`12 °C in \${city}, \${signal.aborted}\``,
  lines: () => `[] as string[]`,
  userOf: () => `async (request: Request) => request.headers.get("x-user") ?? "ann"`,
  location: () => `{ origin: process.env.PAGE_ORIGIN as string }`,
};

/** All code of a document in these languages, by heading and number: `Streams 2` is the second block of that section. */
export async function readSnippets(document: string): Promise<Map<string, { code: string; language: string }>> {
  const text = await readFile(join(import.meta.dirname, "../..", document), "utf8");
  const snippets = new Map<string, { code: string; language: string }>();
  let heading = "";
  let count = 0;
  for (const [, title, language = "", code = ""] of text.matchAll(/^#+ ([^\n]+)$|^```(\w*)\n(.*?)^```$/gms)) {
    if (title !== undefined) [heading, count] = [title, 0];
    else if (/^(ts|tsx|mts|js|jsx|mjs|typescript|javascript)$/.test(language)) {
      snippets.set(`${heading} ${++count}`, { code, language });
    }
  }
  return snippets;
}

/** The file of a snippet. */
export function toFile(title: string, language: string): string {
  return `${title.match(/\w+/g)?.join("-")}.${language}`;
}

/** The modules of a snippet, by their files: its code, and what it takes as given. */
export function toModules(file: string, code: string, { said = "hi", after = "" }: Partial<Snippet> = {}) {
  const given = `given-${file.replace(/\.\w+$/, ".ts")}`;
  const body = `${code}${after}\nexport {};\n`;
  const needed = Object.keys(GIVEN).filter((name) => uses(body, name) && !declares(body, name));
  const all = new Set<string>(needed);
  for (const name of all) {
    const value = GIVEN[name as keyof typeof GIVEN](said);
    for (const other of Object.keys(GIVEN)) if (uses(value, other)) all.add(other);
  }
  const declarations = Object.entries(GIVEN)
    .filter(([name]) => all.has(name))
    .map(([name, value]) => `export const ${name} = ${value(said)};\n`);
  const preamble = `import { createClient } from "@openclaw/client";\nvoid createClient;\n${declarations.join("")}`;
  return {
    [given]: preamble,
    [file]: `import { ${needed.join(", ")} } from "./${given}";\n${body}`,
  };
}

/** By itself or spread; not as a member, a property's name or a part of a package's name. */
function uses(code: string, name: string): boolean {
  return new RegExp(`(?<!["/\\w]|(?<!\\.\\.)\\.)${name}\\b(?!["':])`).test(code);
}

function declares(code: string, name: string): boolean {
  return new RegExp(`(?:const|let|function) (?:\\{[^}=]*\\b)?${name}\\b`).test(code);
}
