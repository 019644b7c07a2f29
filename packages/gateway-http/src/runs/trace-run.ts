import { hash } from "node:crypto";
import { toUsageAttributes } from "../observe/trace-usage.ts";
import { startSpan, type TraceSpan } from "../observe/traces.ts";
import type { Run, RunResult } from "./run.ts";
import type { RunRequest } from "./run-request.ts";

/**
 * The span of a run, whichever way it ends. By the GenAI semantic conventions; nothing of what was said, and no name of
 * a user.
 */
export function traceRun(run: Run, { agent, session, turn, trace }: RunRequest): TraceSpan | undefined {
  const span = startSpan(
    `invoke_agent ${agent.id}`,
    "internal",
    () => ({
      "gen_ai.operation.name": "invoke_agent",
      "gen_ai.provider.name": "openclaw",
      "gen_ai.agent.id": agent.id,
      "gen_ai.agent.name": agent.name,
      // The key itself may be a person's.
      "gen_ai.conversation.id": session.stateless
        ? undefined
        : hash("sha256", JSON.stringify([session.owner, session.key]), "hex"),
      "gen_ai.output.type": toOutputType(turn.params.response_format?.type),
      "gen_ai.request.stream": turn.stream,
      "openclaw.run.id": run.id,
    }),
    trace,
  );
  if (!span) return undefined;
  const startedAt = performance.now();
  void run.result.then(({ answer, usage, finishReason, error }: RunResult) => {
    const { firstEventAt } = run;
    const model = answer.model?.model;
    span.end(error?.code, {
      "gen_ai.request.model": model?.slice(model.indexOf("/") + 1),
      "gen_ai.response.finish_reasons": finishReason && [finishReason],
      // Seconds, as the conventions have it.
      "gen_ai.response.time_to_first_chunk":
        turn.stream && firstEventAt !== undefined ? (firstEventAt - startedAt) / 1000 : undefined,
      "openclaw.model.fallback": answer.model?.fallback,
      ...toUsageAttributes(usage),
    });
  });
  return span;
}

function toOutputType(format: string | undefined): string | undefined {
  return format === "json_object" || format === "json_schema" ? "json" : format;
}
