import fc from "fast-check";
import { afterEach, expect, test, vi } from "vitest";
import { z } from "zod";
import { createEventCounter } from "../../src/tools/mcp/bounded-fetch.ts";
import { toToolResult } from "../../src/tools/mcp/call-tool.ts";
import { toChildEnvironment } from "../../src/tools/mcp/child-environment.ts";
import { describeError } from "../../src/tools/mcp/describe-error.ts";
import type { ListedTool } from "../../src/tools/mcp/list-tools.ts";
import { createMcpTools } from "../../src/tools/mcp/mcp-tools.ts";
import { createMessageReader } from "../../src/tools/mcp/message-reader.ts";
import { createReconnector } from "../../src/tools/mcp/reconnect.ts";
import { createStdioTransport } from "../../src/tools/mcp/stdio-transport.ts";
import { createLeftOutTeller } from "../../src/tools/mcp/tell-left-out.ts";
import { toToolName, toTools } from "../../src/tools/mcp/to-tools.ts";

afterEach(() => {
  vi.useRealTimers();
});

const toServer = (name: string, tools: readonly ListedTool[]) => ({
  name,
  tools,
  call: async () => ({ text: name, ok: true }),
});
const inputSchema = { type: "object" };

test.each([
  ["files", "read", "files__read"],
  ["files", "read.file", "files__read_file"],
  ["a-b", "ä/ö", "a-b__a_o".replace(/a_o$/, "___")],
  ["s", "", "s__"],
  ["s", "x".repeat(61), `s__${"x".repeat(61)}`],
])("the tool of server %j named %j is called %j", (server, tool, name) => {
  expect(toToolName(server, tool)).toBe(name);
});

test("any name becomes one that providers take, always the same, and long ones stay apart", () => {
  const server = fc.stringMatching(/^[A-Za-z0-9][A-Za-z0-9-]{0,31}$/);
  fc.assert(
    fc.property(server, fc.string({ unit: "grapheme", maxLength: 200 }), (name, tool) => {
      const full = toToolName(name, tool);
      expect(full).toMatch(/^[A-Za-z0-9_-]{1,64}$/);
      expect(full.startsWith(`${name}__`)).toBe(true);
      expect(toToolName(name, tool)).toBe(full);
    }),
  );
  const long = "x".repeat(100);
  expect(toToolName("s", `${long}a`)).not.toBe(toToolName("s", `${long}b`));
  expect(toToolName("s", `${long}a`)).toBe(`s__${"x".repeat(52)}_${toToolName("s", `${long}a`).slice(-8)}`);
});

test("tools are in the order of their names, each name once, whatever servers list in whatever order", () => {
  const names = fc.array(fc.string({ unit: "binary-ascii", maxLength: 4 }), { maxLength: 8 });
  fc.assert(
    fc.property(names, names, (first, second) => {
      const list = (one: string[], two: string[]) =>
        toTools(
          [
            toServer(
              "a",
              one.map((name) => ({ name, inputSchema })),
            ),
            toServer(
              "a_",
              two.map((name) => ({ name, inputSchema })),
            ),
          ],
          () => {},
        ).map(({ name }) => name);
      const listed = list(first, second);
      expect(listed).toEqual([...new Set(listed)].toSorted());
      expect(list(first.toReversed(), second.toReversed())).toEqual(listed);
    }),
  );
});

test("of two tools that end up with one name the first server's holds, and the other is told of", async () => {
  const told: unknown[] = [];
  const servers = [toServer("a", [{ name: "_x", inputSchema }]), toServer("a_", [{ name: "x", inputSchema }])];
  const tools = toTools(servers, (server, leftOut) => told.push([server, leftOut]));
  expect(tools.map(({ name }) => name)).toEqual(["a___x"]);
  const context = { signal: new AbortController().signal, runId: "r", agentId: "a", sessionKey: "s" };
  expect(await tools[0]?.run({}, context)).toEqual({ text: "a", ok: true });
  expect(told).toEqual([
    ["a", []],
    ["a_", [{ tool: "x", reason: "another tool has its name" }]],
  ]);
});

test("each kind of content has its words", () => {
  const { text, ok } = toToolResult({
    content: [
      { type: "text", text: "one" },
      { type: "image", mimeType: "image/png", data: btoa("12345") },
      { type: "audio", mimeType: "audio/wav", data: btoa("1234") },
      { type: "resource", resource: { uri: "file:///a", text: "inside" } },
      { type: "resource", resource: { uri: "file:///b", mimeType: "application/zip", blob: btoa("123") } },
      { type: "resource_link", uri: "file:///c", name: "c" },
    ],
    structuredContent: { not: "repeated" },
  });
  expect(ok).toBe(true);
  expect(text.split("\n")).toEqual([
    "one",
    "[image image/png, 5 bytes]",
    "[audio audio/wav, 4 bytes]",
    "inside",
    "[resource file:///b, application/zip, 3 bytes]",
    "[resource file:///c: c]",
  ]);
});

test("data stands for content that is not there, and a failure is one", () => {
  expect(toToolResult({ content: [], structuredContent: { a: [1] } })).toEqual({ ok: true, text: '{"a":[1]}' });
  expect(toToolResult({ content: [] })).toEqual({ ok: true, text: "" });
  expect(toToolResult({ content: [{ type: "text", text: "no" }], isError: true })).toEqual({ ok: false, text: "no" });
});

test("an error is one short line about its cause", () => {
  const refused = Object.assign(new Error(""), { code: "ECONNREFUSED" });
  expect(describeError(new TypeError("fetch failed", { cause: refused }))).toBe("ECONNREFUSED");
  expect(describeError(Object.assign(new Error("Error POSTing: <html>"), { status: 502 }))).toBe(
    "it answered with HTTP 502",
  );
  expect(describeError(new Error(`first\nsecond`))).toBe("first");
  expect(describeError(new Error("x".repeat(1000)))).toHaveLength(300);
  expect(describeError("text")).toBe("text");
  const invalid = "it gave an answer that is not one of the protocol's";
  expect(describeError(z.string().safeParse(3).error)).toBe(invalid);
  expect(describeError(Object.assign(new Error("Invalid result: [\n{"), { code: "INVALID_RESULT" }))).toBe(invalid);
});

test("an event's size is counted over chunks, and starts again after a blank line", () => {
  const stream = "data: 123\n\nid: 1\r\ndata: 12345678\r\n\r\n: c\n\ndata: 1\n\n";
  const events = [11, 25, 5, 9];
  fc.assert(
    fc.property(fc.array(fc.integer({ min: 1, max: 10 }), { minLength: 1 }), (sizes) => {
      const count = createEventCounter();
      const bytes = Buffer.from(stream);
      let largest = 0;
      for (let at = 0, index = 0; at < bytes.length; index++) {
        const size = sizes[index % sizes.length] ?? 1;
        largest = Math.max(largest, count(bytes.subarray(at, at + size)));
        at += size;
      }
      expect(largest).toBe(Math.max(...events));
    }),
  );
});

test("on Windows the names of safe variables are known in any case", () => {
  const variables = { Path: "C:\\", Home: "x", OPENAI_API_KEY: "sk", path2: "no" };
  expect(toChildEnvironment(variables, {}, "win32")).toMatchObject({ Path: "C:\\" });
  expect(toChildEnvironment(variables, {}, "win32")).not.toHaveProperty("OPENAI_API_KEY");
  expect(toChildEnvironment(variables, { A: "1" }, "linux")).toEqual({ A: "1" });
});

/** A schema whose properties have properties, and so on. */
function nested(depth: number): object {
  let schema: object = { type: "string" };
  for (let level = 0; level < depth; level++) schema = { type: "object", properties: { a: schema } };
  return schema;
}

test("tools are left out that providers, or JSON itself, could not be told of", () => {
  const told: unknown[] = [];
  const large = { type: "object", description: "ä".repeat(32 * 1024) };
  const listed = [
    { name: "deep", inputSchema: nested(20_000) },
    { name: "fine", inputSchema: nested(40) },
    { name: "large", inputSchema: large },
    { name: "endless", inputSchema: { type: "object", maximum: Number.POSITIVE_INFINITY } },
  ];
  const tools = toTools([toServer("a", listed)], (_server, leftOut) => told.push(...leftOut));
  expect(tools.map(({ name }) => name)).toEqual(["a__fine"]);
  expect(told).toEqual([
    { tool: "deep", reason: "its schema is not that of an object" },
    { tool: "endless", reason: "its schema is not that of an object" },
    { tool: "large", reason: "its schema is larger than 64 KiB" },
  ]);
});

test("a description is cut to 8 KiB of whole characters", () => {
  const describe = (description: string) =>
    toTools([toServer("a", [{ name: "x", inputSchema, description }])], () => {})[0]?.description;
  expect(describe("short")).toBe("short");
  expect(describe("x".repeat(10_000))).toBe("x".repeat(8192));
  expect(describe(`x${"😀".repeat(3000)}`)).toBe(`x${"😀".repeat(2047)}`);
  expect(describe("half \ud83d of one")).toBe("half \ufffd of one");
  expect(describe("")).toBe("");
});

test("what is left out of a server's list is told once, and in a minute once", () => {
  vi.useFakeTimers({ toFake: ["performance"] });
  const lines: object[] = [];
  const tell = createLeftOutTeller((_level, fields) => lines.push(fields));
  const leftOut = (...names: string[]) => names.map((tool) => ({ tool, reason: "no" }));
  tell("a", []);
  tell("a", leftOut("x".repeat(500), "y"));
  tell("a", leftOut("x".repeat(500), "y"));
  tell("b", leftOut("z"));
  expect(lines).toEqual([
    { server: "a", count: 2, examples: [`${"x".repeat(100)}: no`] },
    { server: "b", count: 1, examples: ["z: no"] },
  ]);
  for (let count = 0; count < 100; count++) tell("a", leftOut(`x${count}`));
  tell("a", []);
  expect(lines).toHaveLength(2);
  vi.advanceTimersByTime(60_000);
  tell("a", leftOut("x"));
  expect(lines.slice(2)).toEqual([{ server: "a", count: 1, examples: ["x: no"] }]);
});

test("that an agent has too many tools is told once", () => {
  const lines: unknown[] = [];
  const log = (...line: unknown[]) => lines.push(line);
  const tools = createMcpTools({ servers: {}, variables: {}, redact: (text) => text, log });
  tools.onTooMany(200);
  tools.onTooMany(300);
  expect(lines).toEqual([["warn", { allowed: 200, given: 128 }, expect.stringContaining("tools.allow")]]);
});

test("messages are found in any pieces, among lines that are none", () => {
  const text = 'hello\n{"jsonrpc":"2.0","method":"ä"}\r\n\n{"jsonrpc":"2.0","method":"b"}\n[]\n';
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 80 }), (size) => {
      const methods: unknown[] = [];
      const reader = createMessageReader((message) => methods.push("method" in message && message.method));
      const bytes = Buffer.from(text);
      for (let at = 0; at < bytes.length; at += size)
        expect(reader.take(bytes.subarray(at, at + size))).toBe(undefined);
      expect(methods).toEqual(["ä", "b"]);
    }),
  );
});

test("a thousand lines in a row that are no message are enough", () => {
  const reader = createMessageReader(() => {});
  expect(reader.take(Buffer.from("x\n".repeat(1000)))).toBe(undefined);
  expect(reader.take(Buffer.from('{"jsonrpc":"2.0","method":"a"}\n'))).toBe(undefined);
  expect(reader.take(Buffer.from("x\n".repeat(1000)))).toBe(undefined);
  expect(reader.take(Buffer.from("x\n"))).toBe("it does not speak MCP");
});

test("a program that never stops talking leaves others their turn", async () => {
  const line = JSON.stringify({ jsonrpc: "2.0", method: "x" });
  const transport = createStdioTransport({ command: "yes", args: [line], env: {} }, { PATH: process.env.PATH ?? "" });
  let inTurn = 0;
  let most = 0;
  let turns = 0;
  transport.onmessage = () => {
    inTurn += 1;
    most = Math.max(most, inTurn);
  };
  await transport.start();
  while (turns < 50) {
    await new Promise(setImmediate);
    if (inTurn > 0) turns += 1;
    inTurn = 0;
  }
  await transport.close();
  // What comes in one piece, and a line that began before it.
  expect(most).toBeLessThanOrEqual(65_536 / line.length + 1);
});

test("a stream for news that ends at once is asked for less and less often, that of an answer as the server says", () => {
  vi.useFakeTimers();
  let isWaitedFor = false;
  let asked = 0;
  const reconnect = createReconnector(() => isWaitedFor);
  const waitOf = (ms: number) => {
    const since = performance.now();
    const before = asked;
    reconnect(() => (asked += 1), ms);
    while (asked === before) vi.advanceTimersToNextTimer();
    return performance.now() - since;
  };
  expect(Array.from({ length: 8 }, () => waitOf(1000))).toEqual([
    1000, 2000, 4000, 8000, 16_000, 32_000, 60_000, 60_000,
  ]);
  isWaitedFor = true;
  expect([waitOf(500), waitOf(0)]).toEqual([500, 100]);
  isWaitedFor = false;
  expect(waitOf(0)).toBe(60_000);
  // It held for more than a minute.
  vi.advanceTimersByTime(60_001);
  expect(waitOf(0)).toBe(1000);
  reconnect(() => (asked += 1), 0)();
  expect(vi.getTimerCount()).toBe(0);
});
