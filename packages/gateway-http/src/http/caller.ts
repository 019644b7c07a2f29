import type { FastifyRequest } from "fastify";
import type { Caller } from "../auth/caller.ts";

const CALLER = Symbol("caller");

type Known = FastifyRequest & { [CALLER]?: Caller };

/** Remembers who sends a request, once that is known. */
export function setCaller(request: Known, caller: Caller): void {
  request[CALLER] = caller;
}

/** Who sends this request. Every route behind `authenticate` has one. */
export function callerOf(request: FastifyRequest): Caller {
  const caller = findCaller(request);
  if (!caller) throw new Error("the route is not behind authentication");
  return caller;
}

/** Who sends this request, if that is known. */
export function findCaller(request: Known): Caller | undefined {
  return request[CALLER];
}
