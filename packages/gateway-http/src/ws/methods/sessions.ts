import type { Methods } from "../method.ts";
import { chatHistory } from "./chat-history.ts";
import { chatInject } from "./chat-inject.ts";
import { sessionsCreate, sessionsPatch } from "./sessions-change.ts";
import { sessionsDelete, sessionsReset } from "./sessions-end.ts";
import { sessionsDescribe, sessionsResolve } from "./sessions-find.ts";
import { sessionsList } from "./sessions-list.ts";
import { sessionsMessagesSubscribe, sessionsMessagesUnsubscribe, sessionsSubscribe } from "./sessions-subscribe.ts";

/** The methods of sessions and of what is said in them. */
export const sessionMethods = {
  "chat.history": chatHistory,
  "chat.inject": chatInject,
  "sessions.create": sessionsCreate,
  "sessions.delete": sessionsDelete,
  "sessions.describe": sessionsDescribe,
  "sessions.list": sessionsList,
  "sessions.messages.subscribe": sessionsMessagesSubscribe,
  "sessions.messages.unsubscribe": sessionsMessagesUnsubscribe,
  "sessions.patch": sessionsPatch,
  "sessions.reset": sessionsReset,
  "sessions.resolve": sessionsResolve,
  "sessions.subscribe": sessionsSubscribe,
} satisfies Partial<Methods>;
