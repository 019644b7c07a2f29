import type { Snippet } from "./snippets.ts";

/** What each snippet prints, by document and title. Recipes that need more than a process have tests of their own. */
export const SNIPPETS: Record<string, Record<string, Snippet>> = {
  "packages/client/README.md": {
    "@openclaw/client 1": { prints: "You said: Tell me a story." },
    "Streams 1": {
      prints: "You  4\nsaid:  10\nhi 12\nstop\nYou said: hi\n",
      after: "console.log(text);",
    },
    "Streams 2": { prints: "You said: hi5\n", after: "console.log(await saved);" },
    "Streams 3": {
      prints: "You |said: |hi|[DONE]\n",
      after: `console.log((await response.text()).match(/(?<="content":")[^"]+|\\[DONE\\]/g)?.join("|"));`,
    },
    "Streams 4": { said: "Talk.", prints: "and so on and so on " },
    "Tools 1": { prints: "getWeather: 12 °C in Paris, false\nIt is 12 °C in Paris, false.\n" },
    "Data 1": {
      prints: "2,102,650 Seine,Bièvre\n…: 0 rivers\nParis: 0 rivers\nParis: 1 rivers\nParis: 2 rivers\n2\n",
    },
    "What the agent does 1": {
      said: "Look it up.",
      prints: "(I have to look.)\nsearch …\ndone\nFound.\n",
    },
    "Nothing twice, nothing lost 1": {
      prints: "You said: hi\n",
      after: "console.log(answer.choices[0]?.message.content);",
    },
    "Nothing twice, nothing lost 2": {
      said: "Count.",
      prints: "Connection lost, coming back (1)\none two three four\n",
      after: "console.log(await stream.text());",
    },
    "Sessions 1": {
      prints: "agent:main:trip undefined 1 2 true\n",
      after: "console.log(key, next, data.length, messages.length, copy.id !== key);",
    },
    "Stored completions 1": { prints: "1 1\n", after: "console.log(data.length, asked.length);" },
    "The socket 1": {
      prints: "You said: Tell me a story.\nstop 7\n",
      after: 'console.log("\\n" + stopReason, usage?.totalTokens);\nsocket.close();',
    },
    "The socket 2": {
      prints: "connecting\nready\nclosed\ntrue true\n",
      after: "console.log(Array.isArray(messages), Array.isArray(sessions));",
    },
    "Errors 1": { prints: "404 model_not_found\n" },
    "What goes over the wire 1": {
      prints: "200 req-from-the-page openclaw\ntrue false\n",
      after: "console.log(lines.length > 5, lines.some((line) => line.includes(token)));",
    },
  },
  "docs/clients.md": {
    "The openai packages 1": { prints: "You said: hi\n", after: "console.log(answer.choices[0]?.message.content);" },
    "Moving over from openai 1": { prints: "You said: hi" },
    "Moving over from openai 2": { prints: "You said: hi" },
    "A terminal 1": {
      types: "hi\nWhat did I say first?\n",
      prints: "> You said: hi\n> hi\n> ",
    },
    "AI SDK 1": { prints: "You said: hi" },
  },
};
