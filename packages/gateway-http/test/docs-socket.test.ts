import { execFile } from "node:child_process";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { promisify } from "node:util";
import { CONNECT_ERRORS, SOCKET_CLOSE, SOCKET_LIMITS, type SocketErrorCode } from "@openclaw/protocol";
import {
  helloOkSchema,
  requestFrameSchema,
  responseFrameSchema,
  SOCKET_EVENTS,
  SOCKET_METHODS,
} from "@openclaw/protocol/socket";
import { expect, test } from "vitest";
import { defineAgent } from "../src/index.ts";
import type { Method } from "../src/ws/method.ts";
import { methods } from "../src/ws/methods/all.ts";
import { openSocket } from "./support/socket-client.ts";
import { startGateway, TOKEN } from "./support/start-gateway.ts";

const PATH = join(import.meta.dirname, "../../../docs/socket.md");
const TEXT = readFileSync(PATH, "utf8");

/** Cells of the rows under a heading that begin with a name as code, all without the marks of code. */
function rowsOf(heading: string, name: RegExp): string[][] {
  const section = TEXT.split(new RegExp(`^## ${heading}$`, "m"))[1]?.split(/^## /m)[0] ?? "";
  return section
    .split("\n")
    .filter((line) => /^\| *`/.test(line))
    .map((line) => line.split("|").slice(1, -1))
    .map((cells) => cells.map((cell) => cell.trim().replace(/^`(.*)`$/, "$1")))
    .filter(([first = ""]) => name.test(first));
}

function blocksOf(language: string): string[] {
  return Array.from(TEXT.matchAll(new RegExp(`^\`\`\`${language}\n(.*?)^\`\`\`$`, "gms")), ([, code = ""]) => code);
}

test("docs/socket.md lists every method with its scopes, and no other", () => {
  const listed = rowsOf("Methods", /./).map(([name, scope = "", key]) => [name, scope && `operator.${scope}`, key]);
  const known = Object.entries(SOCKET_METHODS).map(([name, { scope }]) => {
    const { needs = "" } = methods[name as keyof typeof methods] as Method<never>;
    return [name, scope ?? "", needs];
  });
  expect(listed).toEqual(known);
});

test("docs/socket.md lists every event, and no other", () => {
  expect(rowsOf("Events", /./).map(([name]) => name)).toEqual(Object.keys(SOCKET_EVENTS));
});

test("docs/socket.md gives the limits as they are, and every close code", () => {
  const limits = rowsOf("Limits", /^[a-z]/i).map(([name, value = ""]) => [name, Number(value.replaceAll(",", ""))]);
  expect(limits).toEqual(Object.entries(SOCKET_LIMITS));
  expect(rowsOf("Limits", /^\d+$/).map(([code]) => Number(code))).toEqual(Object.values(SOCKET_CLOSE));
});

test("docs/socket.md lists every error, and every way in which a handshake fails", () => {
  // A code that is new is missing here for the compiler.
  const codes: Record<SocketErrorCode, true> = { INVALID_REQUEST: true, FORBIDDEN: true, UNAVAILABLE: true };
  const listed = rowsOf("Errors", /^[A-Z_]+$/).map(([code]) => code);
  expect(listed.sort()).toEqual([...Object.keys(codes), ...Object.values(CONNECT_ERRORS)].sort());
});

test("the handshake of docs/socket.md is one that works", async () => {
  const { url } = await startGateway();
  const frames = blocksOf("json").map((block) => JSON.parse(block.replace("<token>", TOKEN)));
  const [challenge, connect, hello, send] = frames;
  expect(frames).toHaveLength(4);
  const client = await openSocket(url);
  expect(SOCKET_EVENTS[challenge.event as "connect.challenge"].safeParse(challenge.payload).error).toBeUndefined();
  expect(shapeOf(client.frames[0])).toEqual(shapeOf(challenge));

  expect(requestFrameSchema.safeParse(connect).error).toBeUndefined();
  const answer = await client.ask(connect.method, connect.params, connect.id);
  expect(responseFrameSchema.safeParse(hello).error).toBeUndefined();
  expect(helloOkSchema.safeParse(hello.payload).error).toBeUndefined();
  expect(shapeOf(answer)).toEqual(shapeOf(hello));
  expect(answer.payload).toMatchObject({ auth: hello.payload.auth, policy: hello.payload.policy });
  const { methods, events } = hello.payload.features;
  expect(Object.keys(SOCKET_METHODS)).toEqual(expect.arrayContaining(methods));
  expect(Object.keys(SOCKET_EVENTS)).toEqual(expect.arrayContaining(events));

  expect(SOCKET_METHODS[send.method as "chat.send"].params.safeParse(send.params).error).toBeUndefined();
  await expect(client.request(send.method, send.params)).resolves.toEqual({
    runId: send.params.idempotencyKey,
    status: "started",
  });
  await client.close();
});

test("the example of docs/socket.md prints the answer, and ends", async () => {
  const agent = defineAgent({
    id: "main",
    async *run({ messages }) {
      yield "You said: ";
      yield `${messages.at(-1)?.content}`;
    },
  });
  // It is there without the chat endpoint.
  const endpoints = { chatCompletions: { enabled: false } };
  const { url } = await startGateway({ agents: [agent], config: { gateway: { http: { endpoints } } } });
  const [code = ""] = blocksOf("js");
  const program = code.replace("ws://127.0.0.1:18789", url.replace("http", "ws"));
  expect(program).not.toBe(code);
  const env = { OPENCLAW_GATEWAY_TOKEN: TOKEN };
  const { stdout } = await promisify(execFile)(process.execPath, ["--input-type=module", "-e", program], { env });
  expect(stdout).toBe("You said: hi");
});

/** What a value is made of, without what it says. */
function shapeOf(value: unknown): unknown {
  if (Array.isArray(value)) return "list";
  if (typeof value !== "object" || value === null) return typeof value;
  return Object.fromEntries(Object.entries(value).map(([name, member]) => [name, shapeOf(member)]));
}
