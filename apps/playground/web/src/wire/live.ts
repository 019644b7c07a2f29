import { createSocket, type Socket, type SocketEventPayload, type WatchedSession } from "@openclaw/client/socket";
import { createStore, type Store } from "../store.ts";

/** Where the socket is. The gateway takes it on any path; this one Vite passes on, beside its own. */
const PATH = "/v1/socket";
/** Without one that worked. */
const TRIES = 3;

/** What happens in sessions, as it happens. Where there is no socket, nothing does. */
export interface Live {
  /** `away`: it worked, and will again. */
  readonly store: Store<{ readonly state: "off" | "ready" | "away" }>;
  /** For a token that the gateway takes. */
  start(token: string | undefined): void;
  /** As the network does. */
  cut(): void;
  mend(): void;
  /** Shows this session from now on, and no other. */
  watch(sessionId: string | undefined): void;
  abort(runId: string): void;
}

export interface LiveOptions {
  baseUrl: string;
  onSession(session: WatchedSession): void;
  onTool(event: SocketEventPayload<"agent">): void;
  /** Absent: it may be any of them. */
  onChange(change: SocketEventPayload<"sessions.changed"> | undefined): void;
  /** The gateway takes the token no more. */
  onLockedOut(): void;
}

export function createLive({ baseUrl, onSession, onTool, onChange, onLockedOut }: LiveOptions): Live {
  const store: Live["store"] = createStore({ state: "off" });
  let socket: Socket | undefined;
  let token: string | undefined;
  let watched: string | undefined;
  let unwatch: (() => void) | undefined;
  let hasWorked = false;

  function close(): void {
    // What it says of its end is nobody's business any more.
    const before = socket;
    socket = undefined;
    unwatch = undefined;
    before?.close();
    store.set({ state: "off" });
  }

  function open(): void {
    close();
    const opened = createSocket({ baseUrl: `${baseUrl}${PATH}`, ...(token !== undefined && { token }) });
    let failures = 0;
    opened.on("status", (status) => {
      if (socket !== opened) return;
      if (status.state === "ready") {
        hasWorked = true;
        store.set({ state: "ready" });
        // Not before the gateway tells of changes: one in between would be missed.
        const isTold = opened.request("sessions.subscribe", {}).catch(() => {});
        void isTold.then(() => socket === opened && onChange(undefined));
      } else if (status.state === "waiting") {
        if (hasWorked) store.set({ state: "away" });
        // An older gateway, or a proxy that passes no upgrades: the page is as good without.
        else if (++failures === TRIES) close();
      } else if (status.state === "closed") {
        close();
        if (hasWorked) onLockedOut();
        hasWorked = false;
      }
    });
    opened.on("sessions.changed", onChange);
    opened.on("agent", (event) => {
      if (event.sessionKey === watched && event.stream === "tool") onTool(event);
    });
    socket = opened;
    opened.connect().catch(() => {});
    look();
  }

  function look(): void {
    unwatch?.();
    const key = watched;
    unwatch = key === undefined ? undefined : socket?.watch(key, (session) => key === watched && onSession(session));
  }

  return {
    store,
    start(newToken) {
      token = newToken;
      open();
    },
    cut: close,
    mend: open,
    watch(sessionId) {
      // What has just been said got through, so this may, too.
      if (store.get().state === "away") socket?.connect().catch(() => {});
      watched = sessionId;
      look();
    },
    abort(runId) {
      if (watched !== undefined) socket?.abort(watched, { runId }).catch(() => {});
    },
  };
}
