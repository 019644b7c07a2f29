import { json, type Operation } from "./operation.ts";

const shared = { tag: "Sessions", scope: "sessions" } as const;

export const listSessions: Operation = {
  ...shared,
  id: "listSessions",
  summary: "Lists sessions, the one used last first",
  parameters: ["after", "limit", "descending", "ofAgent", "search"],
  answers: { 200: json("SessionList", "A page.") },
  errors: ["endpoint_disabled", "invalid_value"],
};

export const retrieveSession: Operation = {
  ...shared,
  id: "retrieveSession",
  summary: "Retrieves a session",
  parameters: ["key"],
  answers: { 200: json("Session", "The session.") },
  errors: ["endpoint_disabled", "not_found"],
};

export const updateSession: Operation = {
  ...shared,
  id: "updateSession",
  summary: "Changes a session's title",
  parameters: ["key"],
  body: { shape: "SessionChange", required: true, examples: { title: { title: "A trip" } } },
  answers: { 200: json("Session", "The session as it is now.") },
  errors: ["endpoint_disabled", "not_found"],
};

export const deleteSession: Operation = {
  ...shared,
  id: "deleteSession",
  summary: "Deletes a session",
  parameters: ["key"],
  answers: { 200: json("SessionDeleted", "It is gone.") },
  errors: ["endpoint_disabled", "not_found", "session_busy"],
};

export const listSessionMessages: Operation = {
  ...shared,
  id: "listSessionMessages",
  summary: "Lists the messages of one branch",
  parameters: ["key", "leaf", "after", "limit", "ascending"],
  answers: { 200: json("SessionMessageList", "A page.") },
  errors: ["endpoint_disabled", "invalid_value", "not_found"],
};

export const listSessionBranches: Operation = {
  ...shared,
  id: "listSessionBranches",
  summary: "Lists the ends of a session's branches",
  parameters: ["key", "after", "limit", "descending"],
  answers: { 200: json("SessionBranchList", "A page.") },
  errors: ["endpoint_disabled", "invalid_value", "not_found"],
};

export const moveHead: Operation = {
  ...shared,
  id: "moveSessionHead",
  summary: "Moves the head",
  description: "Who sends only what is new continues at this message from now on.",
  parameters: ["key"],
  body: { shape: "SessionHead", required: true, examples: { back: { id: "msg_1" } } },
  answers: { 200: json("Session", "The session as it is now.") },
  errors: ["endpoint_disabled", "not_found", "session_busy"],
};

export const forkSession: Operation = {
  ...shared,
  id: "forkSession",
  summary: "Makes a session of the talk up to a message",
  parameters: ["key"],
  body: { shape: "SessionFork", required: false, examples: { here: { at: "msg_1", key: "another-trip" } } },
  answers: { 201: json("Session", "The new session.") },
  errors: ["endpoint_disabled", "invalid_session_key", "not_found"],
};

export const abortRun: Operation = {
  ...shared,
  id: "abortSessionRun",
  summary: "Ends the run under way",
  description: "Whoever waits for its answer is told `run_aborted`.",
  parameters: ["key"],
  answers: { 200: json("SessionAborted", "Which run was ended.") },
  errors: [
    "endpoint_disabled",
    "not_found",
    "invalid_json",
    "invalid_type",
    "request_too_large",
    "unsupported_media_type",
  ],
};
