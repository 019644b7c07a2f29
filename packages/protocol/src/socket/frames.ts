import { z } from "zod";

/** Anything that a client asks. A closed object: what else is in it is no frame of this protocol. */
export const requestFrameSchema = z.strictObject({
  type: z.literal("req"),
  /** The client's own; comes back with the answer. */
  id: z.string().min(1),
  method: z.string().min(1),
  /** Absent, or `null`: none. */
  params: z.unknown().optional(),
  /** W3C Trace Context. */
  traceparent: z.string().max(128).optional(),
});

const socketErrorSchema = z.object({
  code: z.string().min(1),
  message: z.string().min(1),
  details: z.unknown().optional(),
  /** Whether the same may be asked again. */
  retryable: z.boolean().optional(),
  /** Milliseconds to wait before. */
  retryAfterMs: z.int().min(0).optional(),
});

/** The answer to a request. They may come in another order than their requests. */
export const responseFrameSchema = z.object({
  type: z.literal("res"),
  id: z.string().min(1),
  ok: z.boolean(),
  payload: z.unknown().optional(),
  error: socketErrorSchema.optional(),
});

/** Something that happened. */
export const eventFrameSchema = z.object({
  type: z.literal("event"),
  event: z.string().min(1),
  payload: z.unknown().optional(),
  /**
   * Counts the events of this connection from 1, without `connect.challenge`. A jump: what is between was dropped,
   * because the client did not read.
   */
  seq: z.int().min(0).optional(),
});

export type RequestFrame = z.infer<typeof requestFrameSchema>;
export type ResponseFrame = z.infer<typeof responseFrameSchema>;
export type EventFrame = z.infer<typeof eventFrameSchema>;
export type SocketErrorBody = z.infer<typeof socketErrorSchema>;
