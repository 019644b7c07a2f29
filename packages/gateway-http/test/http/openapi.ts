import type { ErrorBody } from "@openclaw/protocol";
import { Ajv2020, type ValidateFunction } from "ajv/dist/2020.js";
import addFormats from "ajv-formats";
import { expect } from "vitest";
import { type StartedGateway, type StartOptions, startGateway, TOKEN } from "../support/start-gateway.ts";

type Json = Record<string, unknown>;

interface DocumentedResponse {
  headers: Record<string, { $ref: string }>;
  content?: Record<string, { schema: Json } & Json>;
  "x-error-codes"?: string[];
}

interface DocumentedOperation {
  operationId: string;
  "x-required-scope"?: string;
  parameters: { $ref: string }[];
  requestBody?: { content: Record<string, { schema: Json; examples: Record<string, { value: unknown }> }> };
  responses: Record<string, DocumentedResponse>;
}

/** What `GET /openapi.json` answers. */
interface OpenApiDocument {
  openapi: string;
  info: Record<string, string>;
  paths: Record<string, Record<string, DocumentedOperation>>;
  components: Record<"schemas" | "parameters" | "headers", Record<string, Json>>;
}

export async function fetchDocument({ url }: Pick<StartedGateway, "url">): Promise<OpenApiDocument> {
  return (await (await fetch(`${url}/openapi.json`)).json()) as OpenApiDocument;
}

/** By the document, which is the same for every gateway: to compile its schemas takes a while. */
const contracts = new Map<string, Contract>();

export async function fetchContract(door: Pick<StartedGateway, "url">): Promise<Contract> {
  const document = await fetchDocument(door);
  const text = JSON.stringify(document);
  const contract = contracts.get(text) ?? createContract(document);
  contracts.set(text, contract);
  return contract;
}

/** Headers that say something about one answer, not about all. */
const TOLD = /^(?:x-openclaw-.*|x-ratelimit-.*|x-should-retry|idempotency-.*|retry-after|www-authenticate|allow|etag)$/;

/** A document whose shapes have the members it names and no others: it allows them, but we are to name what we say. */
function close(node: unknown): unknown {
  if (Array.isArray(node)) return node.map(close);
  if (typeof node !== "object" || node === null) return node;
  const closed = Object.fromEntries(Object.entries(node).map(([name, value]) => [name, close(value)]));
  const members = Object.keys(closed.properties ?? {}).join();
  // A content part of any type has only that in common.
  const isShape = closed.type === "object" && members !== "" && members !== "type";
  return isShape && !("additionalProperties" in closed) ? { ...closed, additionalProperties: false } : closed;
}

/** What a document promises, to hold requests and answers against. */
function createContract(document: OpenApiDocument) {
  const asAnswered = validatorsOf(close(document) as OpenApiDocument);
  const asAccepted = validatorsOf(document);
  const insist = (check: ValidateFunction, value: unknown, what: string) => {
    const isRight = check(value);
    const problems = check.errors?.map(({ instancePath, message }) => `${instancePath} ${message}`).join("; ");
    expect(isRight, `${what}: ${problems} in ${JSON.stringify(value)}`).toBe(true);
  };

  /** The operation that a request is for. */
  function find(method: string, path: string): { operation: DocumentedOperation; pointer: string } {
    const bare = path.split("?", 1)[0] ?? "";
    const templates = Object.keys(document.paths).sort((a, b) => b.length - a.length);
    const template = templates.find((each) => toPattern(each).test(bare)) ?? "";
    const operation = document.paths[template]?.[method.toLowerCase()];
    if (!operation) throw new Error(`${method} ${path} is not documented`);
    return { operation, pointer: `/paths/${template.replaceAll("/", "~1")}/${method.toLowerCase()}` };
  }

  return {
    document,
    find: (method: string, path: string) => find(method, path).operation,
    /** Whether the document says that this body is accepted. */
    accepts(shape: string, body: unknown): boolean {
      return asAccepted(`/components/schemas/${shape}`)(body) === true;
    },
    /** Insists that a value is of a shared shape, without a member that it does not name. */
    expectShape(shape: string, value: unknown): void {
      insist(asAnswered(`/components/schemas/${shape}`), value, shape);
    },
    /** Insists that an answer is one that its operation is documented to give; a stream's events are not looked at. */
    async expectAnswer(method: string, path: string, response: Response): Promise<Answered> {
      const { operation, pointer } = find(method, path);
      const status = String(response.status) in operation.responses ? String(response.status) : "default";
      const documented = operation.responses[status] as DocumentedResponse;
      const where = `${operation.operationId} ${response.status}`;
      expect(response.headers.get("x-request-id"), where).not.toBeNull();
      for (const name of Object.keys(documented.headers)) {
        const value = response.headers.get(name);
        const typed = name === "retry-after" && value !== null ? Number(value) : value;
        if (value !== null) insist(asAccepted(`/components/headers/${name}/schema`), typed, `${where} ${name}`);
      }
      const told = [...response.headers.keys()].filter((name) => TOLD.test(name));
      expect(Object.keys(documented.headers), where).toEqual(expect.arrayContaining(told));
      const text = await response.text();
      const type = response.headers.get("content-type")?.split(";", 1)[0] ?? "";
      if (text === "") expect(documented.content, where).toBeUndefined();
      else expect(Object.keys(documented.content ?? {}), where).toContain(type);
      const json = type === "application/json" && text !== "" ? JSON.parse(text) : undefined;
      if (json !== undefined) {
        const { $ref } = (documented.content?.[type]?.schema ?? {}) as { $ref?: string };
        const inline = `${pointer}/responses/${status}/content/application~1json/schema`;
        insist(asAnswered($ref?.slice(1) ?? inline), json, where);
      }
      const codes = documented["x-error-codes"];
      if (codes) expect(codes, where).toContain((json as ErrorBody).error.code);
      return { json, text, where };
    },
  };
}

/** An answer that was as documented. */
interface Answered {
  json: unknown;
  text: string;
  /** The operation and the status. */
  where: string;
}

type Contract = ReturnType<typeof createContract>;

/**
 * A gateway whose every answer has to be one that its document promises.
 * @returns `call`, and the operations with their statuses that were `seen`
 */
export async function startDocumented(options: StartOptions = {}) {
  const door = await startGateway(options);
  const contract = await fetchContract(door);
  const { document } = contract;
  const seen = new Set<string>();

  /** Sends a request, and insists on this status. */
  async function call(status: number, method: string, path: string, body?: unknown, headers = {}) {
    const response = await fetch(`${door.url}${path}`, {
      method,
      headers: {
        authorization: `Bearer ${TOKEN}`,
        ...(body !== undefined && { "content-type": "application/json" }),
        ...headers,
      },
      ...(body !== undefined && { body: typeof body === "string" ? body : JSON.stringify(body) }),
    });
    const answered = await contract.expectAnswer(method, path, response);
    expect(response.status, `${answered.where}: ${answered.text}`).toBe(status);
    seen.add(answered.where);
    // biome-ignore lint/suspicious/noExplicitAny: checked against the document.
    return { headers: response.headers, json: answered.json as any, text: answered.text };
  }
  return { ...door, document, contract, call, seen };
}

/** Compiles what a JSON pointer into the document leads to. */
function validatorsOf(document: OpenApiDocument): (pointer: string) => ValidateFunction {
  // Lenient only about words that JSON Schema does not know, such as `x-error-codes`.
  const ajv = new Ajv2020({ strict: false, allErrors: true });
  addFormats.default(ajv);
  ajv.addSchema(document, "openapi");
  const compiled = new Map<string, ValidateFunction>();
  return (pointer) => {
    const found = compiled.get(pointer) ?? ajv.compile({ $ref: `openapi#${encodeURI(pointer)}` });
    compiled.set(pointer, found);
    return found;
  };
}

function toPattern(template: string): RegExp {
  const isModel = template.startsWith("/v1/models/");
  return new RegExp(`^${template.replaceAll(".", "\\.").replace(/\{\w+\}/g, isModel ? ".+" : "[^/]+")}$`);
}
