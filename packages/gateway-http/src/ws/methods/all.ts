import type { Methods } from "../method.ts";
import { gatewayMethods } from "./about.ts";
import { agent } from "./agent.ts";
import { agentWait } from "./agent-wait.ts";
import { chatAbort, sessionsAbort } from "./chat-abort.ts";
import { chatSend } from "./chat-send.ts";
import { modelsList } from "./models.ts";
import { sessionMethods } from "./sessions.ts";

/** All methods but `connect`. */
export const methods: Methods = {
  ...gatewayMethods,
  ...sessionMethods,
  "models.list": modelsList,
  "sessions.abort": sessionsAbort,
  "chat.send": chatSend,
  "chat.abort": chatAbort,
  agent,
  "agent.wait": agentWait,
};
