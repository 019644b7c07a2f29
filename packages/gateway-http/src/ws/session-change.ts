import type { SocketResult } from "@openclaw/protocol/socket";
import type { SessionChange, SessionInfo, SessionRef } from "../sessions/store.ts";
import { titleSchema } from "../sessions/title.ts";
import type { Connection } from "./connection.ts";
import { sessionIdOf, splitModel } from "./rows.ts";
import { satisfies } from "./scopes.ts";
import { invalid, missingScope } from "./socket-error.ts";

/** What a client would have a session be. Absent: as it is. `null`: as its agent is. */
export interface Wished {
  label?: string | null | undefined;
  /** `provider/model`. */
  model?: string | null | undefined;
  thinkingLevel?: string | null | undefined;
}

const MODEL = /^[^\s/]+\/\S+$/;
const THINKING = /^[a-z][a-z0-9_-]*$/;

/**
 * What is to be changed, if the client may.
 * @throws SocketError for what cannot be; without `operator.admin`, for another effort; without the caller's scope
 * `override-model`, for another model
 */
export function toChange(method: string, { label, model, thinkingLevel }: Wished, connection: Connection) {
  const change: SessionChange = {
    ...(label !== undefined && { title: label === null ? null : toTitle(method, label) }),
    settings: {
      ...(model !== undefined && { model: model === null ? null : toModel(method, model) }),
      ...(thinkingLevel !== undefined && {
        thinking: thinkingLevel && toThinking(`${method} params: at /thinkingLevel`, thinkingLevel),
      }),
    },
  };
  if (model != null && !connection.caller.scopes.has("override-model")) throw missingScope("override-model");
  if (thinkingLevel !== undefined && !satisfies(connection.scopes, "operator.admin")) {
    throw missingScope("operator.admin");
  }
  return change;
}

function toTitle(method: string, label: string): string | null {
  const { data, error } = titleSchema.safeParse(label);
  if (error) throw invalid(`invalid ${method} params: at /label: ${error.issues[0]?.message}`);
  return data || null;
}

function toModel(method: string, text: string): string {
  const model = text.trim();
  if (!MODEL.test(model)) throw invalid(`invalid ${method} params: at /model: must be provider/model`);
  return model;
}

/**
 * How much is to be thought, in one word of lower case.
 * @param at what is named in the error: `<method> params: at /<member>`
 * @throws SocketError
 */
export function toThinking(at: string, text: string): string {
  const level = text.trim().toLowerCase();
  if (THINKING.test(level)) return level;
  throw invalid(`invalid ${at}: must be one word, such as off, low, medium or high`);
}

/** A session as those see it who have changed it. */
export function toSessionEntry(
  session: SessionRef,
  { updatedAt, title, settings: { model, thinking } }: SessionInfo,
): SocketResult<"sessions.create">["entry"] {
  const override = model === undefined ? undefined : splitModel(model);
  return {
    sessionId: sessionIdOf(session),
    updatedAt,
    ...(title !== null && { label: title }),
    ...(override && { modelOverride: override.model }),
    ...(override?.modelProvider !== undefined && { providerOverride: override.modelProvider }),
    ...(thinking !== undefined && { thinkingLevel: thinking }),
  };
}
