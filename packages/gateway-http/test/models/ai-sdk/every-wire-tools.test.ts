import { z } from "zod";
import type { Heard, Wire } from "../../wires/wire.ts";
import { onEveryWire, seen, seeStream, seeWhole, tool, withoutSignature } from "./on-wire.ts";

const lookUp = {
  description: "Looks up the weather",
  schema: z.object({ city: z.string() }),
  run: ({ city }: { city: string }) => `rain in ${city}`,
};

const SESSION = { user: "ann" };
const CALLS = [
  { id: "call_a", name: "look_up", args: ['{"city":', '"Oslo"}'] },
  { id: "call_b", name: "look_up", args: ['{"city":"Rome"}'] },
];

onEveryWire(
  "an agent with tools works the same, and its next turn begins with the talk of this one",
  {
    tools: { look_up: lookUp },
    steps: [
      { thoughts: ["Two cities."], text: ["I look."], calls: CALLS },
      { text: ["Rain in both."] },
      { text: ["You are welcome."] },
    ],
  },
  async (on) => {
    const first = await seeStream(on, SESSION);
    const second = await seeWhole(on, { ...SESSION, messages: [{ role: "user", content: "thanks" }] });
    const heard = on.standIn.asked.map(({ talk }) =>
      talk.filter((piece) => !("thought" in piece)).map(withoutSignature),
    );
    const signed = on.standIn.asked.map(({ talk }) => talk.filter((piece) => "signature" in piece));
    return { first, second, heard, signed };
  },
  (wire: Wire) => {
    const question = { from: "user", text: "hi" } as const;
    const loop: Heard[] = [
      { from: "assistant", text: "I look." },
      { from: "assistant", call: "call_a", name: "look_up", input: { city: "Oslo" } },
      { from: "assistant", call: "call_b", name: "look_up", input: { city: "Rome" } },
      { from: "tool", result: "call_a", text: "rain in Oslo" },
      { from: "tool", result: "call_b", text: "rain in Rome" },
    ];
    const last: Heard[] = [
      { from: "assistant", text: "Rain in both." },
      { from: "user", text: "thanks" },
    ];
    const signed = signedBy(wire);
    return {
      first: seen({ thoughts: "Two cities.", text: "I look.\n\nRain in both." }),
      second: seen({ text: "You are welcome." }),
      heard: [[question], [question, ...loop], [question, ...loop, ...last]],
      signed: [[], signed, signed],
    };
  },
);

onEveryWire(
  "what a provider must hear again with its calls it hears from a client's tools, too",
  {
    steps: [{ thoughts: ["Two cities."], text: ["I look."], calls: CALLS }, { text: ["Rain in both."] }],
  },
  async (on) => {
    const body = { ...SESSION, tools: [tool("look_up")] };
    const { calls, text } = await seeWhole(on, body);
    const messages = [
      { role: "user", content: "hi" },
      {
        role: "assistant",
        content: text,
        tool_calls: calls.map(({ id, name, args }) => ({ id, type: "function", function: { name, arguments: args } })),
      },
      ...calls.map(({ id }) => ({ role: "tool", tool_call_id: id, content: "rain" })),
    ];
    const answer = await seeStream(on, { ...body, messages });
    return { answer: answer.text, signed: on.standIn.asked[1]?.talk.filter((piece) => "signature" in piece) };
  },
  (wire: Wire) => ({ answer: "Rain in both.", signed: signedBy(wire) }),
);

/** What the provider must hear again, each in its own words. */
function signedBy({ name }: Wire): Heard[] {
  const signature = "c2lnbmF0dXJl";
  if (name === "openai-completions") return [];
  if (name === "google-generative-ai") {
    return [{ from: "assistant", call: "call_a", name: "look_up", input: { city: "Oslo" }, signature } as Heard];
  }
  return [{ from: "assistant", thought: "Two cities.", signature }];
}
