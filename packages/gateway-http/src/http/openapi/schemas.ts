import {
  abortedSessionSchema,
  cancelledCompletionSchema,
  chatCompletionChunkSchema,
  chatCompletionSchema,
  deletedCompletionSchema,
  deletedSessionSchema,
  errorBodySchema,
  gatewayStatusSchema,
  healthSchema,
  listPageSchema,
  modelListSchema,
  modelSchema,
  readySchema,
  sessionBranchSchema,
  sessionMessageSchema,
  sessionSchema,
  storedCompletionSchema,
  storedMessageSchema,
  toolCallSchema,
  usageSchema,
} from "@openclaw/protocol";
import { z } from "zod";
import { changeSchema } from "../routes/sessions.ts";
import { forkSchema, headSchema } from "../routes/sessions-actions.ts";
import { DESCRIPTIONS } from "./descriptions.ts";
import { type JsonSchema, type NamedSchemas, toJsonSchemas } from "./json-schemas.ts";
import { metadata, REQUEST_SCHEMAS } from "./request-schema.ts";

const REQUESTS: NamedSchemas = {
  ...REQUEST_SCHEMAS,
  CompletionUpdate: z.object({ metadata: metadata.nullable() }),
  SessionChange: changeSchema,
  SessionHead: headSchema,
  SessionFork: forkSchema,
};

const ANSWERS: NamedSchemas = {
  ChatCompletion: chatCompletionSchema,
  ChatCompletionChunk: chatCompletionChunkSchema,
  CompletionCancelled: cancelledCompletionSchema,
  CompletionDeleted: deletedCompletionSchema,
  Error: errorBodySchema,
  GatewayStatus: gatewayStatusSchema,
  Health: healthSchema,
  Model: modelSchema,
  ModelList: modelListSchema,
  Ready: readySchema,
  Session: sessionSchema,
  SessionAborted: abortedSessionSchema,
  SessionBranch: sessionBranchSchema,
  SessionBranchList: listPageSchema(sessionBranchSchema),
  SessionDeleted: deletedSessionSchema,
  SessionList: listPageSchema(sessionSchema),
  SessionMessage: sessionMessageSchema,
  SessionMessageList: listPageSchema(sessionMessageSchema),
  StoredCompletion: storedCompletionSchema,
  StoredCompletionList: listPageSchema(storedCompletionSchema),
  StoredMessage: storedMessageSchema,
  StoredMessageList: listPageSchema(storedMessageSchema),
  ToolCall: toolCallSchema,
  Usage: usageSchema,
};

/** Every shared shape, with what its members mean. */
export function createSchemas(): Record<string, JsonSchema> {
  const schemas = { ...toJsonSchemas(REQUESTS, "input"), ...toJsonSchemas(ANSWERS, "output") };
  for (const [name, { "": about, ...members }] of Object.entries(DESCRIPTIONS)) {
    const schema = schemas[name] as JsonSchema & { properties: Record<string, JsonSchema> };
    if (about) schema.description = about;
    for (const [member, description] of Object.entries(members)) {
      const described = schema.properties[member];
      if (!described) throw new Error(`${name} has no member ${member}`);
      described.description = description;
    }
  }
  return Object.fromEntries(Object.entries(schemas).sort(([a], [b]) => (a < b ? -1 : 1)));
}
