import type { Method } from "../method.ts";
import { refOf } from "../session-ref.ts";
import { invalid } from "../socket-error.ts";

/** Sessions whose messages one connection may hear apart. */
const MAX_SESSIONS = 1000;

/** `sessions.subscribe`: from now on this connection hears of all its sessions. */
export const sessionsSubscribe: Method<"sessions.subscribe"> = {
  needs: "sessions",
  run(_params, { connection }) {
    connection.hearsSessions = true;
    return { subscribed: true };
  },
};

/** `sessions.messages.subscribe`: from now on this connection hears what is said in a session. */
export const sessionsMessagesSubscribe: Method<"sessions.messages.subscribe"> = {
  needs: "sessions",
  run(params, { connection, agents, narrators }) {
    const { key } = refOf(connection, agents, params);
    const { messagesOf } = connection;
    if (messagesOf.size >= MAX_SESSIONS && !messagesOf.has(key)) {
      throw invalid(`a connection may subscribe to the messages of ${MAX_SESSIONS} sessions`);
    }
    messagesOf.add(key);
    narrators.place(connection);
    return { subscribed: true, key };
  },
};

/** `sessions.messages.unsubscribe`: takes that back. */
export const sessionsMessagesUnsubscribe: Method<"sessions.messages.unsubscribe"> = {
  needs: "sessions",
  run(params, { connection, agents, narrators }) {
    const { key } = refOf(connection, agents, params);
    connection.messagesOf.delete(key);
    narrators.place(connection);
    return { subscribed: false, key };
  },
};
