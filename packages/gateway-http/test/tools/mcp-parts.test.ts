import fc from "fast-check";
import { expect, test } from "vitest";
import { createEventCounter } from "../../src/tools/mcp/bounded-fetch.ts";
import { toChildEnvironment } from "../../src/tools/mcp/child-environment.ts";
import { describeError } from "../../src/tools/mcp/describe-error.ts";
import type { ListedTool } from "../../src/tools/mcp/list-tools.ts";
import { toTools } from "../../src/tools/mcp/to-tools.ts";
import { toToolName } from "../../src/tools/mcp/tool-name.ts";
import { toToolResult } from "../../src/tools/mcp/tool-result.ts";

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
  const told: object[] = [];
  const servers = [toServer("a", [{ name: "_x", inputSchema }]), toServer("a_", [{ name: "x", inputSchema }])];
  const tools = toTools(servers, (fields) => told.push(fields));
  expect(tools.map(({ name }) => name)).toEqual(["a___x"]);
  const context = { signal: new AbortController().signal, runId: "r", agentId: "a", sessionKey: "s" };
  expect(await tools[0]?.run({}, context)).toEqual({ text: "a", ok: true });
  expect(told).toEqual([{ server: "a_", tool: "x", name: "a___x" }]);
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
