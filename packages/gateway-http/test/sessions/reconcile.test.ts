import { expect, test } from "vitest";
import type { TurnMessage } from "../../src/chat/turn.ts";
import type { Entry } from "../../src/sessions/entry.ts";
import { reconcile } from "../../src/sessions/reconcile.ts";
import { Transcript } from "../../src/sessions/transcript.ts";

const ROLES = { u: "user", a: "assistant", t: "tool" } as const;

/** `"u1"` as a message of that text; `t:c1` is the result of the call `c1`, `a:c1` makes it. */
function toMessage(name: string): TurnMessage {
  const role = ROLES[name.charAt(0) as keyof typeof ROLES];
  const call = name.startsWith("a:") ? name.slice(2) : undefined;
  if (role === "tool") return { role, content: "result", tool_call_id: name.slice(2) };
  if (role === "user") return { role, content: name };
  const tool_calls = [{ id: call ?? "", type: "function" as const, function: { name: "f", arguments: "{}" } }];
  return { role, content: call ? null : name, ...(call && { tool_calls }) };
}

const nameOf = (message: TurnMessage) => {
  if (message.role === "tool") return `t:${message.tool_call_id}`;
  const call = message.role === "assistant" ? message.tool_calls?.[0]?.id : undefined;
  return call === undefined ? String(message.content) : `a:${call}`;
};

/**
 * A transcript of branches such as `"u1 a1 > u2 a2!"`: names joined from the root, where a name that is there already
 * is the same entry. `(a9)` is hidden, `a2~` was cut short, `a2!` is the head.
 */
function transcriptOf(branches: string[], carriesHistory = false): Transcript {
  const transcript = new Transcript({ agent: "main", title: null, settings: {}, createdAt: 0, updatedAt: 0 });
  let at = 0;
  for (const branch of branches) {
    let parent: string | null = null;
    for (const word of branch.split(" ")) {
      const name = word.replace(/[()~!]/g, "");
      const id: string = parent === null ? name : `${parent}/${name}`;
      const entry: Entry = {
        id,
        parent,
        message: toMessage(name),
        runId: "r",
        at: at++,
        ...(word.includes("(") && { hidden: true }),
        ...(word.includes("~") && { aborted: true }),
      };
      const head = word.includes("!") ? { head: id } : {};
      transcript.add({ entries: transcript.get(id) ? [] : [entry], ...head, carriesHistory });
      parent = id;
    }
  }
  return transcript;
}

interface Case {
  title: string;
  tree?: string[];
  chat?: boolean;
  history?: boolean;
  sent: string;
  /** What the model sees. */
  sees: string;
  /** The path under which it goes on; `""` is a new root. */
  under: string;
  /** What is new. */
  fresh: string;
  aside?: boolean;
}

const CASES: Case[] = [
  { title: "the first message", sent: "u1", sees: "u1", under: "", fresh: "u1" },
  { title: "the first request of a chat", chat: true, sent: "u1", sees: "u1", under: "", fresh: "u1", aside: true },
  { title: "a first request with history", sent: "u1 a1 u2", sees: "u1 a1 u2", under: "", fresh: "u1 a1 u2" },
  // Without a head: the talk was begun anew, or nothing was answered yet
  { title: "no head", tree: ["u1 a1"], sent: "u2", sees: "u2", under: "", fresh: "u2" },
  { title: "no head, the same words", tree: ["u1 a1"], sent: "u1", sees: "u1", under: "", fresh: "u1" },
  {
    title: "no head, and history came",
    tree: ["u1 a1"],
    history: true,
    sent: "u2",
    sees: "u2",
    under: "",
    fresh: "u2",
  },
  {
    title: "no head, the same words, and history came",
    tree: ["u1 a1 u2 a2"],
    history: true,
    sent: "u1",
    sees: "u1",
    under: "",
    fresh: "u1",
  },
  {
    title: "no head, the words of a talk from within",
    tree: ["u1 a1 u2 a2"],
    history: true,
    sent: "u2",
    sees: "u2",
    under: "",
    fresh: "u2",
  },
  {
    title: "no head, said again after a failure",
    tree: ["u1 a1", "u2"],
    sent: "u2",
    sees: "u2",
    under: "u2",
    fresh: "",
  },
  {
    title: "no head, the whole talk of before",
    tree: ["u1 a1"],
    history: true,
    sent: "u1 a1 u2",
    sees: "u1 a1 u2",
    under: "u1 a1",
    fresh: "u2",
  },
  // Only what is new
  { title: "only new", tree: ["u1 a1!"], sent: "u2", sees: "u1 a1 u2", under: "u1 a1", fresh: "u2" },
  { title: "only new, twice", tree: ["u1 a1!"], sent: "u2 u3", sees: "u1 a1 u2 u3", under: "u1 a1", fresh: "u2 u3" },
  {
    title: "only new, with the agent's steps before",
    tree: ["u1 (as) (t:s) a1!"],
    sent: "u2",
    sees: "u1 as t:s a1 u2",
    under: "u1 as t:s a1",
    fresh: "u2",
  },
  {
    title: "the head is on a branch",
    tree: ["u1 a1!", "u1 b", "u2 a2"],
    sent: "u3",
    sees: "u1 a1 u3",
    under: "u1 a1",
    fresh: "u3",
  },
  { title: "the same words again", tree: ["u1 a1!"], sent: "u1", sees: "u1 a1 u1", under: "u1 a1", fresh: "u1" },
  { title: "a retry of what failed", tree: ["u1 a1! u2"], sent: "u2", sees: "u1 a1 u2", under: "u1 a1 u2", fresh: "" },
  { title: "a retry of a first message", tree: ["u1"], sent: "u1", sees: "u1", under: "u1", fresh: "" },
  {
    title: "other words after a failure",
    tree: ["u1 a1! u2"],
    sent: "u3",
    sees: "u1 a1 u3",
    under: "u1 a1",
    fresh: "u3",
  },
  { title: "a tool's result alone", tree: ["u1 a:c!"], sent: "t:c", sees: "u1 a:c t:c", under: "u1 a:c", fresh: "t:c" },
  {
    title: "a tool's result alone in a chat",
    tree: ["u1 a:c!"],
    chat: true,
    sent: "t:c",
    sees: "u1 a:c t:c",
    under: "u1 a:c",
    fresh: "t:c",
  },
  // The whole talk
  {
    title: "the whole talk and more",
    tree: ["u1 a1!"],
    sent: "u1 a1 u2",
    sees: "u1 a1 u2",
    under: "u1 a1",
    fresh: "u2",
  },
  {
    title: "the whole talk in a chat",
    tree: ["u1 a1!"],
    chat: true,
    sent: "u1 a1 u2",
    sees: "u1 a1 u2",
    under: "u1 a1",
    fresh: "u2",
  },
  {
    title: "steps are put back",
    tree: ["u1 (as) (t:s) a1 u2 (az) a2!"],
    sent: "u1 a1 u2 a2 u3",
    sees: "u1 as t:s a1 u2 az a2 u3",
    under: "u1 as t:s a1 u2 az a2",
    fresh: "u3",
  },
  {
    title: "another answer to the last question",
    tree: ["u1 a1 u2 a2!"],
    sent: "u1 a1 u2",
    sees: "u1 a1 u2",
    under: "u1 a1 u2",
    fresh: "",
  },
  {
    title: "another answer to the first, in a chat",
    tree: ["u1 a1!"],
    chat: true,
    sent: "u1",
    sees: "u1",
    under: "u1",
    fresh: "",
  },
  {
    title: "another answer to the first, after history",
    tree: ["u1 a1 u2 a2!"],
    history: true,
    sent: "u1",
    sees: "u1",
    under: "u1",
    fresh: "",
  },
  {
    title: "other words alone, after history",
    tree: ["u1 a1!"],
    history: true,
    sent: "u9",
    sees: "u1 a1 u9",
    under: "u1 a1",
    fresh: "u9",
  },
  {
    title: "the last question edited",
    tree: ["u1 a1 u2 a2!"],
    sent: "u1 a1 u9",
    sees: "u1 a1 u9",
    under: "u1 a1",
    fresh: "u9",
  },
  {
    title: "the first question edited",
    tree: ["u1 a1!"],
    chat: true,
    sent: "u9",
    sees: "u9",
    under: "",
    fresh: "u9",
    aside: true,
  },
  {
    title: "that branch goes on",
    tree: ["u1 a1!", "u9 a9"],
    chat: true,
    sent: "u9 a9 u2",
    sees: "u9 a9 u2",
    under: "u9 a9",
    fresh: "u2",
  },
  {
    title: "an answer edited, with what came after it",
    tree: ["u1 a1 u2 (as) a2!"],
    sent: "u1 a9 u2 a2 u3",
    sees: "u1 a9 u2 as a2 u3",
    under: "u1",
    fresh: "a9 u2 as a2 u3",
  },
  {
    title: "back on an older branch",
    tree: ["u1 a1 u2 a2", "u1 b u2 a3!"],
    sent: "u1 a1 u2 a2 u4",
    sees: "u1 a1 u2 a2 u4",
    under: "u1 a1 u2 a2",
    fresh: "u4",
  },
  { title: "an answer to be continued", tree: ["u1 a1!"], sent: "u1 a1", sees: "u1 a1", under: "u1 a1", fresh: "" },
  {
    title: "an edited answer to be continued",
    tree: ["u1 a1!"],
    sent: "u1 a9",
    sees: "u1 a9",
    under: "u1",
    fresh: "a9",
  },
  // Trimmed
  {
    title: "trimmed at the front",
    tree: ["u1 a1 u2 (as) a2!"],
    sent: "u2 a2 u3",
    sees: "u2 as a2 u3",
    under: "u1 a1 u2 as a2",
    fresh: "u3",
  },
  {
    title: "trimmed to begin with an answer",
    tree: ["u1 (as) a1!"],
    sent: "a1 u2",
    sees: "as a1 u2",
    under: "u1 as a1",
    fresh: "u2",
  },
  {
    title: "trimmed, with a summary in front",
    tree: ["u1 a1 u2 a2!"],
    sent: "usum u2 a2 u3",
    sees: "usum u2 a2 u3",
    under: "u1 a1 u2 a2",
    fresh: "u3",
  },
  {
    title: "trimmed and another answer",
    tree: ["u1 a1 u2 a2!"],
    sent: "a1 u2",
    sees: "a1 u2",
    under: "u1 a1 u2",
    fresh: "",
  },
  // Decorated
  {
    title: "a question that was decorated, now bare",
    tree: ["u1+context a1!"],
    chat: true,
    sent: "u1 a1 u2",
    sees: "u1 a1 u2",
    under: "u1+context a1",
    fresh: "u2",
  },
  {
    title: "bare in the middle",
    tree: ["u1 a1 u2+context a2!"],
    sent: "u1 a1 u2 a2 u3",
    sees: "u1 a1 u2 a2 u3",
    under: "u1 a1 u2+context a2",
    fresh: "u3",
  },
  {
    title: "trimmed to a decorated question",
    tree: ["u1 a1 u2+context a2!"],
    sent: "u2 a2 u3",
    sees: "u2 a2 u3",
    under: "u1 a1 u2+context a2",
    fresh: "u3",
  },
  // Cut short
  {
    title: "an answer cut short, seen in part",
    tree: ["u1 abcdef~!"],
    sent: "u1 abc u2",
    sees: "u1 abc u2",
    under: "u1 abcdef",
    fresh: "u2",
  },
  {
    title: "a whole answer is not its beginning",
    tree: ["u1 abcdef!"],
    sent: "u1 abc u2",
    sees: "u1 abc u2",
    under: "u1",
    fresh: "abc u2",
  },
  // Nothing fits
  {
    title: "a side task",
    tree: ["u1 a1!"],
    chat: true,
    sent: "utitle",
    sees: "utitle",
    under: "",
    fresh: "utitle",
    aside: true,
  },
  {
    title: "a talk nobody knows, in a chat",
    tree: ["u1 a1!"],
    chat: true,
    sent: "u7 a7 u8",
    sees: "u7 a7 u8",
    under: "",
    fresh: "u7 a7 u8",
    aside: true,
  },
  { title: "a talk nobody knows", tree: ["u1 a1!"], sent: "u7 a7 u8", sees: "u7 a7 u8", under: "", fresh: "u7 a7 u8" },
  // Which of several
  {
    title: "of equal beginnings the one that goes on",
    tree: ["u1 a1 u2 a2", "u1 a1 u3 a3!"],
    sent: "u1 a1 u2 a2 u4",
    sees: "u1 a1 u2 a2 u4",
    under: "u1 a1 u2 a2",
    fresh: "u4",
  },
  {
    title: "of equal talks the one of the head",
    tree: ["u0 a0 u1 a1!", "u5 a5 u1 a1"],
    sent: "u1 a1 u2",
    sees: "u1 a1 u2",
    under: "u0 a0 u1 a1",
    fresh: "u2",
  },
  {
    title: "of equal talks the one that is whole",
    tree: ["u0 a0 u1 a1!", "u1 a1"],
    sent: "u1 a1 u2",
    sees: "u1 a1 u2",
    under: "u1 a1",
    fresh: "u2",
  },
  {
    title: "a tool's call by its id",
    tree: ["u1 a:c t:c a1!"],
    sent: "u1 a:c t:c a1 u2",
    sees: "u1 a:c t:c a1 u2",
    under: "u1 a:c t:c a1",
    fresh: "u2",
  },
];

test.each(CASES)("$title", ({ tree, chat = false, history = false, sent, sees, under, fresh, aside = false }) => {
  const transcript = tree && transcriptOf(tree, history);
  const messages = sent.split(" ").map(toMessage);
  const place = reconcile(messages, transcript, { isChat: chat });
  expect({
    sees: place.talk.map(nameOf).join(" "),
    under:
      transcript
        ?.path(place.parent)
        .map(({ message }) => nameOf(message))
        .join(" ") ?? "",
    fresh: place.fresh.map(({ message }) => nameOf(message)).join(" "),
    aside: place.aside,
  }).toEqual({ sees, under, fresh, aside });
  expect(place.carriesHistory).toBe(/\ba/.test(sent));
});

/** A transcript of this one message, `1`. */
function transcriptWith(message: TurnMessage): Transcript {
  const transcript = new Transcript({ agent: "main", title: null, settings: {}, createdAt: 0, updatedAt: 0 });
  transcript.add({ entries: [{ id: "1", parent: null, message, runId: "r", at: 0 }] });
  return transcript;
}

const same: [string, TurnMessage, TurnMessage][] = [
  ["space around it", { role: "user", content: "  hi\n" }, { role: "user", content: "hi" }],
  ["composed or not", { role: "user", content: "e\u0301" }, { role: "user", content: "é" }],
  [
    "parts or a string",
    {
      role: "user",
      content: [
        { type: "text", text: "a" },
        { type: "text", text: "b" },
      ],
    },
    { role: "user", content: "ab" },
  ],
  [
    "the same picture, told otherwise",
    { role: "user", content: [{ type: "image_url", image_url: { url: "data:image/png;base64,AAEC", detail: "low" } }] },
    { role: "user", content: [{ type: "image_url", image_url: { url: "data:;base64,AAEC" } }] },
  ],
];

test.each(same)("a message is the same with %s", (_title, one, other) => {
  const transcript = transcriptWith(one);
  expect(reconcile([other], transcript, { isChat: true })).toMatchObject({ parent: "1", fresh: [], talk: [other] });
});

const different: [string, TurnMessage, TurnMessage][] = [
  ["another role", { role: "user", content: "hi" }, { role: "assistant", content: "hi" }],
  [
    "another picture",
    { role: "user", content: [{ type: "image_url", image_url: { url: "data:;base64,AAEC" } }] },
    { role: "user", content: [{ type: "image_url", image_url: { url: "data:;base64,AAED" } }] },
  ],
  ["another call", toMessage("a:c1"), toMessage("a:c2")],
];

test.each(different)("a message is another one with %s", (_title, one, other) => {
  const transcript = transcriptWith(one);
  expect(reconcile([other], transcript, { isChat: true })).toMatchObject({ parent: null });
});

test("what an agent does to its messages changes nothing that is kept", () => {
  const transcript = transcriptOf(["u1 (as) a:c t:c a1!"]);
  for (const message of reconcile([toMessage("u2")], transcript, { isChat: false }).talk) {
    message.content = "changed";
    if (message.role === "assistant") message.tool_calls = [];
  }
  expect(reconcile([toMessage("u2")], transcript, { isChat: false }).talk.map(nameOf)).toEqual(
    "u1 as a:c t:c a1 u2".split(" "),
  );
});

test("a talk of the same words over and over takes no time worth mentioning", () => {
  const transcript = transcriptOf([]);
  for (let index = 0; index < 5000; index++) {
    const message: TurnMessage = { role: index % 2 ? "assistant" : "user", content: "ok" };
    const parent = index === 0 ? null : `${index - 1}`;
    transcript.add({ entries: [{ id: `${index}`, parent, message, runId: "r", at: index }], head: `${index}` });
  }
  const sent = Array.from(
    { length: 2048 },
    (_, index): TurnMessage => ({ role: index % 2 ? "assistant" : "user", content: "ok" }),
  );
  const place = reconcile(sent, transcript, { isChat: true });
  expect(place.fresh).toEqual([]);
  expect(place.talk).toEqual(sent);
});

test.each([
  { title: "the first words of a talk", tree: ["u1 a1 u2 a2!"], sent: "u1", sees: "u1 a1 u2 a2 u1", under: "a2" },
  { title: "those of a question that failed", tree: ["u1 a1! u2"], sent: "u2", sees: "u1 a1 u2", under: "a1" },
  { title: "those of a first question that failed", tree: ["u1"], sent: "u1", sees: "u1", under: undefined },
  { title: "those of before a reset", tree: ["u1 a1"], sent: "u1", sees: "u1", under: undefined },
])("said by who never says again what was said, are new: $title", ({ tree, sent, sees, under }) => {
  const transcript = transcriptOf(tree, true);
  const place = reconcile([toMessage(sent)], transcript, { isChat: false, continues: true });
  expect(place.talk.map(nameOf).join(" ")).toBe(sees);
  expect(place.fresh.map(({ message }) => nameOf(message))).toEqual([sent]);
  expect(transcript.path(place.parent).at(-1)?.message.content).toBe(under);
});
