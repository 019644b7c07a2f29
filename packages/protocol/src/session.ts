import { z } from "zod";
import { usageSchema } from "./chat/completion.ts";
import { toolCallSchema } from "./chat/message.ts";

/** A session: what an agent keeps of one talk. Times are Unix time in seconds. */
export const sessionSchema = z.looseObject({
  object: z.literal("session"),
  /** Its key, `agent:<agent id>:…`. In a path it is percent-encoded. */
  id: z.string(),
  agent: z.string(),
  title: z.string().nullable(),
  created_at: z.int(),
  updated_at: z.int(),
  /** The message that was answered last: whoever sends only what is new continues there. */
  head: z.string().nullable(),
  /** How many branches there are: talks that were edited, answers that were asked for again. */
  branches: z.int(),
  /** Visible messages on all branches. */
  messages: z.int(),
  /** The completion id of the run under way. */
  active_run: z.string().nullable(),
});

/** A message of a session, at its place in the tree. */
export const sessionMessageSchema = z.looseObject({
  id: z.string(),
  parent: z.string().nullable(),
  role: z.enum(["user", "assistant", "tool"]),
  /** Text, or OpenAI's content parts. */
  content: z.union([z.string(), z.array(z.looseObject({ type: z.string() }))]).nullable(),
  /** What was said in the place of an answer. */
  refusal: z.string().exactOptional(),
  tool_calls: z.array(toolCallSchema).exactOptional(),
  /** Of a tool's result. */
  tool_call_id: z.string().exactOptional(),
  /** A step of the agent's own, which chat clients never see. */
  hidden: z.boolean(),
  /** The completion's id of the run that it came with. */
  run_id: z.string(),
  created_at: z.int(),
  usage: usageSchema.exactOptional(),
  /** The answer was cut short. */
  aborted: z.literal(true).exactOptional(),
});

/** The end of a branch. */
export const sessionBranchSchema = z.looseObject({
  object: z.literal("session.branch"),
  /** Its last message. */
  id: z.string(),
  /** Visible messages from the first to the last. */
  messages: z.int(),
  /** When the last one was kept. */
  updated_at: z.int(),
  /** Whether the head is on it. */
  is_head: z.boolean(),
});

/** What `DELETE` of a session answers. */
export const deletedSessionSchema = z.looseObject({
  object: z.literal("session.deleted"),
  /** The session's key. */
  id: z.string(),
  deleted: z.literal(true),
});

/** What `POST …/abort` answers. */
export const abortedSessionSchema = z.looseObject({
  /** The completion id of the run that was ended; `null` when none was under way. */
  aborted: z.string().nullable(),
});

export type Session = z.infer<typeof sessionSchema>;
export type SessionMessage = z.infer<typeof sessionMessageSchema>;
export type SessionBranch = z.infer<typeof sessionBranchSchema>;
