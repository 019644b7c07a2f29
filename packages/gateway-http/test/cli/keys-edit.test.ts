import { readdirSync, writeFileSync } from "node:fs";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parse } from "@humanwhocodes/momoa";
import fc from "fast-check";
import { expect, onTestFinished, test } from "vitest";
import { editFile } from "../../src/config/edit-file.ts";
import { addKey, removeKey } from "../../src/config/edit-keys.ts";
import { readJson5 } from "../../src/config/json5.ts";

const PATH = "openclaw.json";
const variables = { WHO: "bob" };
const keyOf = (id: string, digit = "a") => ({ id, tokenHash: `sha256:${digit.repeat(64)}` });
const ANN = keyOf("ann");
const add = (text: string) => addKey({ path: PATH, text, variables }, ANN);
const remove = (text: string, id = "ann") => removeKey({ path: PATH, text, variables }, id);
/** Long hashes shown short. */
const short = (text: string | undefined) => text?.replace(/sha256:(.)\1{63}/g, "#$1");
const long = (text: string) => text.replace(/#([a-f])/g, (_, digit) => `sha256:${digit.repeat(64)}`);

test.each([
  [
    "{}",
    '{\n  "gateway": {\n    "auth": {\n      "keys": [\n        { "id": "ann", "tokenHash": "#a" }\n      ]\n    }\n  }\n}',
  ],
  [
    "{ /* x */ }",
    '{ /* x */ gateway: {\n  auth: {\n    keys: [\n      { id: "ann", tokenHash: "#a" },\n    ],\n  },\n} }',
  ],
  [
    "{\n  gateway: {\n    port: 1, // one\n  },\n}\n",
    '{\n  gateway: {\n    port: 1, // one\n    auth: {\n      keys: [\n        { id: "ann", tokenHash: "#a" },\n      ],\n    },\n  },\n}\n',
  ],
  [
    "{\n  gateway: {\n    auth: { mode: 'token' }\n  }\n}",
    '{\n  gateway: {\n    auth: { mode: \'token\', keys: [\n      { id: "ann", tokenHash: "#a" },\n    ] }\n  }\n}',
  ],
  [
    '{"gateway": {"auth": {"mode": "token"}}}',
    '{"gateway": {"auth": {"mode": "token", "keys": [\n  { "id": "ann", "tokenHash": "#a" }\n]}}}',
  ],
  ["{ gateway: { auth: { keys: [] } } }", '{ gateway: { auth: { keys: [\n  { id: "ann", tokenHash: "#a" },\n] } } }'],
  [
    '{ gateway: { auth: { keys: [{ id: "b", tokenHash: "#b" }] } } }',
    '{ gateway: { auth: { keys: [{ id: "b", tokenHash: "#b" }, { id: "ann", tokenHash: "#a" }] } } }',
  ],
  [
    '{ gateway: { auth: {\r\n\tkeys: [\r\n\t\t{ id: "b", tokenHash: "#b" } // bob\r\n\t\t// later\r\n\t],\r\n} } }',
    '{ gateway: { auth: {\r\n\tkeys: [\r\n\t\t{ id: "b", tokenHash: "#b" }, // bob\r\n\t\t// later\r\n\t\t{ id: "ann", tokenHash: "#a" }\r\n\t],\r\n} } }',
  ],
  [
    "{ 'gateway': { \"\\u0061uth\": { keys: [ // none\n ] } } }",
    '{ \'gateway\': { "\\u0061uth": { keys: [ // none\n   { id: "ann", tokenHash: "#a" },\n ] } } }',
  ],
])("a key is written into %j as its text is written", (before, after) => {
  expect(short(add(long(before)))).toBe(after);
});

/** With comments and spaces as people write them. */
const LIST = `{
  gateway: { auth: { keys: [
    // a colleague
    { id: "b", tokenHash: "#b" }, // Bob's
    { id: "c", tokenHash: "#c" },
    // the last
    { id: "d",
      tokenHash: "#d" } /* so far */
  ] } },
}`;

test.each([
  ["b", LIST.replace(/.*Bob's\n/, "")],
  ["c", LIST.replace(/.*"c".*\n/, "")],
  ["d", LIST.replace(/ {4}\{ id: "d"[^}]*.*\n/, "").replace('"#c" },', '"#c" }')],
])("the key %s is taken out with its line, and the rest stays", (id, after) => {
  expect(short(remove(long(LIST), id))).toBe(after);
});

test.each([
  ["b", '[{ id: "c", tokenHash: "#c" }]'],
  ["c", '[{ id: "b", tokenHash: "#b" }]'],
])("of a list on one line %s is taken out with its comma", (id, after) => {
  const text = (list: string) => `{ "gateway": { "auth": { "keys": ${list} } } }`;
  const before = text('[{ id: "b", tokenHash: "#b" }, { id: "c", tokenHash: "#c" }]');
  expect(short(remove(long(before), id))).toBe(text(after));
});

test("an id that comes from the environment is found", () => {
  // biome-ignore lint/suspicious/noTemplateCurlyInString: the config file's own syntax.
  const text = long('{ gateway: { auth: { keys: [{ id: "${WHO}", tokenHash: "#b" }] } } }');
  expect(remove(text, "bob")).toBe("{ gateway: { auth: { keys: [] } } }");
  expect(addKey({ path: PATH, text, variables }, keyOf("bob"))).toBeUndefined();
});

test("agents under agents.entries, and a byte order mark, do no harm", () => {
  const text = "\uFEFF{ agents: { entries: { main: {} } } }";
  expect(add(text)?.startsWith("\uFEFF{ agents: { entries: { main: {} } }, gateway: {")).toBe(true);
});

function commentsOf(text: string): string[] {
  const tokens = parse(text, { mode: "json5", tokens: true }).tokens ?? [];
  const comments = tokens.filter(({ type }) => type === "LineComment" || type === "BlockComment");
  return comments.map(({ loc }) => text.slice(loc.start.offset, loc.end.offset).trim());
}

/** Anything that may stand between two tokens. */
const gap = fc.constantFrom("", " ", "\n", "\t", "\r\n  ", " /* a */ ", " // b, ]}\n", "\n/* c\n, */\n", "\n    ");
const bool = fc.boolean();

/** A JSON5 text of a value, with its gaps, quotes and last commas as it comes. */
function write(value: unknown, draw: <T>(arbitrary: fc.Arbitrary<T>) => T): string {
  const g = () => draw(gap);
  const items = (list: string[]) => {
    const end = list.length > 0 && draw(bool) ? `${g()},` : "";
    return `${g()}${list.join(`${g()},${g()}`)}${end}${g()}`;
  };
  if (Array.isArray(value)) return `[${items(value.map((item) => write(item, draw)))}]`;
  if (typeof value === "object" && value !== null) {
    const name = (text: string) => (draw(bool) ? text : draw(bool) ? `'${text}'` : `"${text}"`);
    return `{${items(Object.entries(value).map(([key, item]) => `${name(key)}${g()}:${g()}${write(item, draw)}`))}}`;
  }
  return JSON.stringify(value);
}

const configArbitrary = fc.record(
  {
    logging: fc.record({ level: fc.constant("info") }, { requiredKeys: [] }),
    gateway: fc.record(
      {
        port: fc.constant(1),
        auth: fc.record(
          {
            mode: fc.constant("token"),
            token: fc.constant("😀, // { ["),
            keys: fc
              .uniqueArray(fc.constantFrom("b", "c", "d"), { maxLength: 3 })
              .map((ids) => ids.map((id) => ({ ...keyOf(id, id), agents: ["main"] }))),
          },
          { requiredKeys: [] },
        ),
        trustedProxies: fc.constant([]),
      },
      { requiredKeys: [] },
    ),
    agents: fc.constant({ list: [{ id: "main" }] }),
  },
  { requiredKeys: [] },
);

test("however a config is written: adding and taking out change the list and nothing else", () => {
  fc.assert(
    fc.property(configArbitrary, fc.gen(), (config, gen) => {
      const text = write(config, (arbitrary) => gen(() => arbitrary));
      const { gateway } = config;
      const keys = gateway?.auth?.keys ?? [];
      const withKeys = (list: unknown[]) => ({
        ...config,
        gateway: { ...gateway, auth: { ...gateway?.auth, keys: list } },
      });
      const added = add(text) ?? "";
      expect(readJson5(added, PATH).value).toEqual(withKeys([...keys, ANN]));
      expect(commentsOf(added)).toEqual(commentsOf(text));
      const removed = remove(added) ?? "";
      expect(readJson5(removed, PATH).value).toEqual(withKeys(keys));
      for (const { id } of keys) {
        const without = remove(text, id) ?? "";
        expect(readJson5(without, PATH).value).toEqual(withKeys(keys.filter((key) => key.id !== id)));
      }
    }),
    { numRuns: 200 },
  );
});

async function temporary(text: string): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), "openclaw-edit-"));
  onTestFinished(() => rm(folder, { recursive: true, force: true }));
  const path = join(folder, "file");
  await writeFile(path, text);
  return path;
}

test("what an editor saves meanwhile is not lost: the edit is done again on it", async () => {
  const path = await temporary("one");
  const seen: string[] = [];
  const changed = await editFile(path, (text) => {
    seen.push(text);
    if (seen.length === 1) writeFileSync(path, "two");
    return `${text} more`;
  });
  expect(changed).toBe(true);
  expect(seen).toEqual(["one", "two"]);
  expect(await readFile(path, "utf8")).toBe("two more");
});

test("a file that changes again and again is left to whoever writes it", async () => {
  const path = await temporary("0");
  let count = 0;
  const editing = editFile(path, (text) => {
    writeFileSync(path, String(++count));
    return `${text} more`;
  });
  await expect(editing).rejects.toMatchObject({ name: "EditError", message: expect.stringContaining("somebody else") });
  expect(await readFile(path, "utf8")).toBe(String(count));
  expect(readdirSync(join(path, ".."))).toEqual(["file"]);
});
