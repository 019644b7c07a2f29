import { setTimeout as delay, setImmediate as nextTurn } from "node:timers/promises";
import type { AgentRegistry } from "./agents/registry.ts";
import type { Authenticator } from "./auth/authenticate.ts";
import type { Credentials } from "./auth/credentials.ts";
import type { RateLimiter } from "./auth/rate-limiter.ts";
import type { Config } from "./config/schema.ts";
import type { Run } from "./runs/run.ts";
import type { RunRequest } from "./runs/run-request.ts";
import { drainingError, type Runs } from "./runs/runs.ts";
import type { Lanes } from "./sessions/lane.ts";
import type { SessionStore } from "./sessions/store.ts";
import { type SessionListener, withNews } from "./sessions/telling-store.ts";
import { Hub } from "./ws/hub.ts";
import { Narrators } from "./ws/narrators.ts";
import { createNews } from "./ws/news.ts";
import { RunBook } from "./ws/run-book.ts";
import type { Sockets } from "./ws/sockets.ts";

export interface SocketOptions {
  /** Where sessions live. */
  store: SessionStore;
  lanes: Lanes;
  runs(): Runs;
  current(): { readonly config: Config; readonly agents: AgentRegistry };
  /** Told of what was nobody's intention. */
  onBug(error: unknown, context: object): void;
}

/** The socket's door, and its ears at the run path and the store. */
export interface SocketDoor {
  /** The store, which tells clients of what is said, whichever door it came through. */
  readonly sessions: SessionStore;
  /** To be told of every run before it says anything. */
  onStart(run: Run, request: RunRequest): void;
  serve(auth: {
    authenticator: Authenticator;
    authMode(): Credentials["mode"];
    /** Shared with HTTP. */
    limiter: RateLimiter;
  }): Room;
}

/** The sockets, from the first one on. */
interface Room extends Pick<Sockets, "recheck" | "open"> {
  /** @throws GatewayError 503 `gateway_draining` */
  enter(): Promise<Sockets>;
  /** Says goodbye to all, after the last words of the runs, which have ended. */
  close(): Promise<void>;
}

/** Milliseconds that the last words may take. */
const LAST_WORDS_MS = 1000;

export function createSocketDoor({ store, lanes, runs, current, onBug }: SocketOptions): SocketDoor {
  const hub = new Hub(onBug);
  const inSession: Runs["inSession"] = (session) => runs().inSession(session);
  const news = createNews({ hub, sessions: store, runs: { inSession }, current, onBug });
  const narrators = new Narrators({ hub, news, runs, onBug });
  const listener: SessionListener = {
    appended(session, addition) {
      const last = addition.entries.at(-1);
      const told = last && narrators.catchUp(session.owner, last.runId);
      return told ? told.then(() => news.appended(session, addition)) : news.appended(session, addition);
    },
    changed: (session, reason) => news.changed(session, { reason }),
  };
  const sessions = withNews(store, listener, onBug);

  /** Settles when clients were told how the runs ended, and have the answers that waited for that. */
  async function lastWords(): Promise<void> {
    const deadline = performance.now() + LAST_WORDS_MS;
    const told = new AbortController();
    const late = delay(LAST_WORDS_MS, undefined, { signal: told.signal }).catch(() => {});
    await Promise.race([narrators.toldOfAll(), late]);
    // An answer that waited for it leaves within this turn of the event loop; those who look on have turns of their own.
    do await nextTurn();
    while (hub.fanOut.isBusy && performance.now() < deadline);
    told.abort();
  }

  return {
    sessions,
    onStart: (run, request) => narrators.onStart(run, request),
    serve(auth) {
      let sockets: Sockets | undefined;
      let entering: Promise<Sockets> | undefined;
      let isClosed = false;

      async function load(): Promise<Sockets> {
        // The schemas of all frames take a while to make.
        const { createSockets } = await import("./ws/sockets.ts");
        if (isClosed) throw drainingError();
        sockets = createSockets({
          ...auth,
          ...{ hub, news, narrators, sessions, lanes, current, onBug },
          runs: runs(),
          book: new RunBook(),
          onConnected(connection) {
            connection.onInterest = () => narrators.place(connection);
            connection.onInterest();
          },
          onGone: (connection) => narrators.remove(connection),
        });
        return sockets;
      }

      return {
        enter() {
          entering ??= load();
          return entering;
        },
        get open() {
          return sockets?.open ?? 0;
        },
        recheck: () => sockets?.recheck(),
        async close() {
          isClosed = true;
          if (sockets) await lastWords();
          sockets?.close();
        },
      };
    },
  };
}
