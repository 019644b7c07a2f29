import type { SOCKET_METHODS, SocketMethodName, SocketResult } from "@openclaw/protocol/socket";
import type { z } from "zod";
import type { AgentRegistry } from "../agents/registry.ts";
import type { Config } from "../config/schema.ts";
import type { Scope } from "../config/schema-auth.ts";
import type { Runs } from "../runs/runs.ts";
import type { Lanes } from "../sessions/lane.ts";
import type { SessionStore } from "../sessions/store.ts";
import type { Connection } from "./connection.ts";
import type { Hub } from "./hub.ts";
import type { Narrators } from "./narrators.ts";
import type { News } from "./news.ts";
import type { RunBook } from "./run-book.ts";

/** What methods work with. A reload puts other settings in the place of these. */
export interface MethodParts {
  readonly runs: Runs;
  readonly sessions: SessionStore;
  readonly lanes: Lanes;
  /** Runs of the socket, by their ids. */
  readonly book: RunBook;
  readonly hub: Hub;
  /** Tells connections what happened to sessions. */
  readonly news: News;
  /** Tells them of runs. */
  readonly narrators: Narrators;
}

/** One request. */
export interface Call extends MethodParts {
  readonly config: Config;
  readonly agents: AgentRegistry;
  readonly connection: Connection;
  /** W3C Trace Context, of the frame. */
  readonly traceparent: string | undefined;
  /** Answers now. A method that returns nothing has called it; `agent` calls it twice. */
  respond(payload: unknown): void;
  /** Answers with an error, and with a payload if the method has one for that too. */
  fail(error: unknown, payload?: object): void;
}

type ParamsOf<Name extends SocketMethodName> = z.output<(typeof SOCKET_METHODS)[Name]["params"]>;

export interface Method<Name extends SocketMethodName> {
  /** Of the caller's own scopes: what HTTP asks for, too. Absent: none. */
  readonly needs?: Scope;
  run(params: ParamsOf<Name>, call: Call): SocketResult<Name> | undefined | Promise<SocketResult<Name> | undefined>;
}

export type Methods = { readonly [Name in SocketMethodName]: Method<Name> };
