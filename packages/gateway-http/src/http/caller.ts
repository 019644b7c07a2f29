import type { FastifyRequest } from "fastify";
import type { Caller } from "../auth/caller.ts";

const callers = new WeakMap<FastifyRequest, Caller>();

/** Remembers who sends a request, once that is known. */
export function setCaller(request: FastifyRequest, caller: Caller): void {
  callers.set(request, caller);
}

/** Who sends this request. Every route behind `authenticate` has one. */
export function callerOf(request: FastifyRequest): Caller {
  const caller = callers.get(request);
  if (!caller) throw new Error("the route is not behind authentication");
  return caller;
}

/** Who sends this request, if that is known. */
export function findCaller(request: FastifyRequest): Caller | undefined {
  return callers.get(request);
}
