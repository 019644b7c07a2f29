import type { Sent } from "./replay.ts";

export interface Shown {
  parent: Shown | undefined;
  role: "user" | "assistant";
  content: string;
}

/**
 * A chat as both UIs keep it: a tree, in which an edit and another answer are siblings, and a current message. They
 * send the way from the root to it.
 * Open WebUI: src/lib/components/chat/Chat.svelte, `createMessagesList`; LibreChat: api/app/clients/BaseClient.js,
 * `getMessagesForConversation`.
 */
export class ChatTree {
  current: Shown | undefined;

  add(role: Shown["role"], content: string, parent = this.current): Shown {
    this.current = { parent, role, content };
    return this.current;
  }

  path(from = this.current): Shown[] {
    const path: Shown[] = [];
    for (let message = from; message; message = message.parent) path.push(message);
    return path.reverse();
  }

  /** The latest of a role on the current path. */
  last(role: Shown["role"]): Shown {
    return this.path().findLast((message) => message.role === role) as Shown;
  }
}

export const toSent = ({ role, content }: Shown): Sent => ({ role, content });
