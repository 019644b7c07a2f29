import type * as loose from "@openclaw/protocol";

export type {
  ChatCompletionRequestInput,
  FinishReason,
  ListPage,
  ListParams,
  Message,
  ToolCall,
} from "@openclaw/protocol";

/** Its named members only: answers may have others, but one that is misspelt must not be taken for one of those. */
type Named<T> = T extends readonly (infer Item)[]
  ? Named<Item>[]
  : T extends object
    ? { [Key in keyof T as string extends Key ? never : Key]: Named<T[Key]> }
    : T;

export type AgentActivity = Named<loose.AgentActivity>;
export type ChatCompletion = Named<loose.ChatCompletion>;
export type ChatCompletionChunk = Named<loose.ChatCompletionChunk>;
export type Model = Named<loose.Model>;
export type ModelList = Named<loose.ModelList>;
export type Session = Named<loose.Session>;
export type SessionBranch = Named<loose.SessionBranch>;
/** Its parts may be of any kind. */
export type SessionMessage = Omit<Named<loose.SessionMessage>, "content"> & Pick<loose.SessionMessage, "content">;
/** Its `metadata` may have any names. */
export type StoredCompletion = Omit<Named<loose.StoredCompletion>, "metadata"> &
  Pick<loose.StoredCompletion, "metadata">;
export type StoredMessage = Named<loose.StoredMessage>;
export type ToolCallDelta = Named<loose.ToolCallDelta>;
export type Usage = Named<loose.Usage>;
