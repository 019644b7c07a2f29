import { json, type Operation } from "./operation.ts";

const shared = { tag: "Stored completions", scope: "chat" } as const;

export const listCompletions: Operation = {
  ...shared,
  id: "listChatCompletions",
  summary: "Lists stored completions",
  description: "Those whose request said `store: true`.",
  parameters: ["after", "limit", "ascending", "ofModel", "ofMetadata"],
  answers: { 200: json("StoredCompletionList", "A page.") },
  errors: ["endpoint_disabled", "invalid_value"],
};

export const retrieveCompletion: Operation = {
  ...shared,
  id: "retrieveChatCompletion",
  summary: "Retrieves a stored completion",
  parameters: ["completionId"],
  answers: { 200: json("StoredCompletion", "The completion.") },
  errors: ["endpoint_disabled", "not_found"],
};

export const updateCompletion: Operation = {
  ...shared,
  id: "updateChatCompletion",
  summary: "Changes a stored completion's metadata",
  parameters: ["completionId"],
  body: { shape: "CompletionUpdate", required: true, examples: { topic: { metadata: { topic: "trip" } } } },
  answers: { 200: json("StoredCompletion", "The completion as it is now.") },
  errors: ["endpoint_disabled", "not_found"],
};

export const deleteCompletion: Operation = {
  ...shared,
  id: "deleteChatCompletion",
  summary: "Deletes a stored completion",
  parameters: ["completionId"],
  answers: { 200: json("CompletionDeleted", "It is gone.") },
  errors: ["endpoint_disabled", "not_found"],
};

export const listCompletionMessages: Operation = {
  ...shared,
  id: "listChatCompletionMessages",
  summary: "Lists the messages of a stored completion's request",
  parameters: ["completionId", "after", "limit", "ascending"],
  answers: { 200: json("StoredMessageList", "A page.") },
  errors: ["endpoint_disabled", "invalid_value", "not_found"],
};
