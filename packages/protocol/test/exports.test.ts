import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import * as index from "../src/index.ts";
import * as socket from "../src/socket/index.ts";
import * as wire from "../src/wire.ts";

test("the package exports these names", () => {
  expect(Object.keys(index).sort()).toMatchInlineSnapshot(`
    [
      "AGENT_ID_PATTERN",
      "CONNECT_ERRORS",
      "ERRORS",
      "HEADERS",
      "MAX_MESSAGES",
      "MAX_MODEL_LENGTH",
      "MAX_TOOLS",
      "SOCKET_CLOSE",
      "SOCKET_LIMITS",
      "SOCKET_PROTOCOL",
      "SOCKET_SCOPES",
      "SSE_CONTENT_TYPE",
      "SSE_DONE",
      "SSE_DONE_FRAME",
      "SSE_KEEP_ALIVE_FRAME",
      "abortedSessionSchema",
      "agentActivitySchema",
      "cancelledCompletionSchema",
      "chatCompletionChunkSchema",
      "chatCompletionRequestSchema",
      "chatCompletionSchema",
      "deletedCompletionSchema",
      "deletedSessionSchema",
      "errorBodySchema",
      "finishReasonSchema",
      "gatewayStatusSchema",
      "healthSchema",
      "isAgentId",
      "isErrorCode",
      "listElements",
      "listPageSchema",
      "messageSchema",
      "metadataSchema",
      "modelListSchema",
      "modelSchema",
      "parseAgentTarget",
      "readySchema",
      "responseFormatSchema",
      "runEventSchema",
      "sessionBranchSchema",
      "sessionMessageSchema",
      "sessionSchema",
      "storedCompletionSchema",
      "storedMessageSchema",
      "toolCallDeltaSchema",
      "toolCallSchema",
      "toolChoiceSchema",
      "toolSchema",
      "usageSchema",
    ]
  `);
});

test("./wire exports these names, the same things as the package", () => {
  expect(Object.keys(wire).sort()).toMatchInlineSnapshot(`
    [
      "AGENT_ID_PATTERN",
      "CONNECT_ERRORS",
      "ERRORS",
      "HEADERS",
      "MAX_MODEL_LENGTH",
      "SOCKET_CLOSE",
      "SOCKET_LIMITS",
      "SOCKET_PROTOCOL",
      "SOCKET_SCOPES",
      "SSE_CONTENT_TYPE",
      "SSE_DONE",
      "SSE_DONE_FRAME",
      "SSE_KEEP_ALIVE_FRAME",
      "isAgentId",
      "isErrorCode",
      "parseAgentTarget",
    ]
  `);
  expect({ ...index }).toMatchObject({ ...wire });
});

test("./socket exports these names", () => {
  expect(Object.keys(socket).sort()).toMatchInlineSnapshot(`
    [
      "SOCKET_EVENTS",
      "SOCKET_METHODS",
      "chatMessageSchema",
      "connectParamsSchema",
      "eventFrameSchema",
      "helloOkSchema",
      "requestFrameSchema",
      "responseFrameSchema",
    ]
  `);
});

test("./wire needs no zod and no other package at run time", () => {
  const { files, packages } = importsOf(new URL("../src/wire.ts", import.meta.url));
  expect(packages).toEqual([]);
  expect(files).toContain("agent-target.ts");
});

test("./wire has the constants of the socket, and nothing else of it", () => {
  const { files } = importsOf(new URL("../src/wire.ts", import.meta.url));
  expect(files.filter((file) => file.startsWith("socket/"))).toEqual(["socket/constants.ts"]);
});

test.each(["../src/index.ts", "../src/socket/index.ts"])("%s needs only zod", (entry) => {
  expect(importsOf(new URL(entry, import.meta.url)).packages).toEqual(["zod"]);
});

/** Walks the imports of a source file that exist at run time. */
function importsOf(entry: URL): { files: string[]; packages: string[] } {
  const files = new Set<string>();
  const packages = new Set<string>();
  const queue = [entry];
  for (let file = queue.pop(); file; file = queue.pop()) {
    if (files.has(file.href)) continue;
    files.add(file.href);
    const source = readFileSync(file, "utf8");
    for (const [, type, specifier = ""] of source.matchAll(/^(?:import|export)\s+(type\s)?[^;]*?from "([^"]+)"/gms)) {
      if (type) continue;
      if (specifier.startsWith(".")) queue.push(new URL(specifier, file));
      else packages.add(specifier);
    }
  }
  return { files: [...files].map((href) => href.split("/src/")[1] ?? href), packages: [...packages] };
}
