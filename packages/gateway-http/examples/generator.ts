// An agent of your own, a plain async generator: looks in the files of a folder for what it is sent.
//   node examples/generator.ts [folder]     (without a build: node --conditions=@openclaw/source …)
import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { createGateway, defineAgent } from "@openclaw/gateway-http";

const folder = process.argv[2] ?? ".";

const finder = defineAgent({
  id: "finder",
  description: "Finds a word in a folder",
  exposeReasoning: "reasoning_content",
  async *run({ messages }, { signal }) {
    const word = String(messages.at(-1)?.content); // a text, unless the caller sent parts
    const entries = await readdir(folder, { withFileTypes: true });
    const files = entries.filter((entry) => entry.isFile()).map((entry) => entry.name);
    yield { type: "reasoning-delta", text: `“${word}” may be in any of ${files.length} files.` };
    let found = 0;
    for (const [index, file] of files.entries()) {
      const id = String(index);
      yield { type: "tool-start", id, name: `read ${file}` };
      // With the signal, reading ends when the caller goes.
      const text = await readFile(join(folder, file), { encoding: "utf8", signal });
      const lines = text.split("\n").filter((line) => line.includes(word));
      yield [
        { type: "tool-end", id, ok: true },
        { type: "text-delta", text: lines.map((line) => `${file}: ${line.trim()}\n`).join("") },
      ];
      found += lines.length;
    }
    yield `${found} lines.`;
  },
});

const config = { gateway: { http: { endpoints: { chatCompletions: { enabled: true } } } } };
const { url, tokenFile } = await createGateway({ config, agents: [finder] }).listen();
console.log(`${url}\n${tokenFile ? `\nexport OPENCLAW_GATEWAY_TOKEN=$(cat '${tokenFile}')` : ""}
curl -N ${url}/v1/chat/completions -H "Authorization: Bearer $OPENCLAW_GATEWAY_TOKEN" \\
  -H 'Content-Type: application/json' -H 'x-openclaw-events: 1' \\
  -d '{"model": "openclaw/finder", "stream": true, "messages": [{"role": "user", "content": "import"}]}'`);
