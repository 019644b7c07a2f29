import type { FinishReason, Usage } from "@openclaw/protocol";
import type { AgentEvent } from "../chat/run-event.ts";
import { GatewayError } from "../errors/gateway-error.ts";
import { toUsageAttributes } from "../observe/trace-usage.ts";
import { startSpan, traceHeaders } from "../observe/traces.ts";
import type { AnswerOrigin } from "./chunk-events.ts";
import type { Connections } from "./connections.ts";
import type { Api } from "./known-providers.ts";

/** One call of a provider that is over. */
export interface ModelCallSummary extends ModelCallEnd {
  /** Its id in the config. */
  readonly provider: string;
  /** The provider's own name of the model. */
  readonly model: string;
  readonly api: Api;
  readonly stream: boolean;
  /** Milliseconds from the request to the end of the answer. */
  readonly ms: number;
}

/** How a call ended. */
interface ModelCallEnd {
  /** The code of the error that ended it, `abandoned` when nobody read on; absent where the answer came to its end. */
  readonly code?: string | undefined;
  /** As the provider reported it. */
  readonly usage?: Usage | undefined;
  readonly finishReason?: FinishReason | undefined;
  readonly origin?: AnswerOrigin | undefined;
}

/** Told of every call of a provider when it is over, those that a fallback hid too. Must not throw. */
export type OnModelCall = (call: ModelCallSummary) => void;

export interface ModelCallOptions {
  provider: { id: string; api: Api; baseUrl: string };
  model: string;
  post: Connections["post"];
  onCall?: OnModelCall | undefined;
}

/** A call under way. It ends once; what is said of its end later has no effect. */
export interface ModelCall {
  /** Sends its request: what goes out bears its trace. */
  readonly post: Connections["post"];
  /**
   * The answer has come to its end.
   * @param last its last events; before anybody is told of them
   */
  end(last: readonly AgentEvent[], origin: AnswerOrigin | undefined): void;
  /** It failed with what was thrown. */
  fail(error: unknown): void;
  /** Nobody reads on: because it was aborted, or for reasons of the reader's own. */
  leave(signal: AbortSignal): void;
}

/** What follows calls of a model. It is told of a call's beginning and end, and of nothing in between. */
export function createModelCalls({ provider, model, post, onCall }: ModelCallOptions): (stream: boolean) => ModelCall {
  const about = { provider: provider.id, model, api: provider.api };
  const address = URL.parse(provider.baseUrl);
  const attributes = {
    "gen_ai.operation.name": "chat",
    "gen_ai.provider.name": PROVIDER_NAMES.get(provider.id) ?? provider.id,
    "gen_ai.request.model": model,
    ...(address && {
      "server.address": address.hostname,
      "server.port": Number(address.port || (address.protocol === "https:" ? 443 : 80)),
    }),
  };

  return (stream) => {
    const span = startSpan(`chat ${model}`, "client", () => ({
      ...attributes,
      ...(stream && { "gen_ai.request.stream": true }),
    }));
    const startedAt = performance.now();
    let isOver = false;

    function settle(end: ModelCallEnd): void {
      if (isOver) return;
      isOver = true;
      const { code, usage, finishReason, origin } = end;
      onCall?.({ ...about, stream, ms: performance.now() - startedAt, ...end });
      span?.end(code, {
        "gen_ai.response.id": origin?.id,
        "gen_ai.response.model": origin?.model,
        "gen_ai.response.finish_reasons": finishReason && [finishReason],
        ...toUsageAttributes(usage),
      });
    }

    const fail = (error: unknown) => settle({ code: error instanceof GatewayError ? error.code : "internal_error" });
    return {
      post: span
        ? (origin, request) =>
            span.within(() => post(origin, { ...request, headers: { ...request.headers, ...traceHeaders() } }))
        : post,
      end(last, origin) {
        let usage: Usage | undefined;
        let finishReason: FinishReason | undefined;
        for (const event of last) {
          if (event.type === "usage") usage = event.usage;
          else if (event.type === "end") finishReason = event.finishReason;
        }
        settle({ usage, finishReason, origin });
      },
      fail,
      // An answer that ended is left, too.
      leave: (signal) => (signal.aborted ? fail(signal.reason) : settle({ code: "abandoned" })),
    };
  };
}

/** Where the semantic conventions have another name than the config. */
const PROVIDER_NAMES: ReadonlyMap<string, string> = new Map([
  ["amazon-bedrock", "aws.bedrock"],
  ["google", "gcp.gemini"],
  ["mistral", "mistral_ai"],
  ["xai", "x_ai"],
]);
