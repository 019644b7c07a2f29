import type { SharedV4Warning } from "@ai-sdk/provider";
import { GatewayError } from "../../errors/gateway-error.ts";

/** By the library's name: what a caller relies on, so that an answer without it would be a wrong one. */
const RELIED_ON: Readonly<Record<string, string>> = {
  toolChoice: "tool_choice",
  responseFormat: "response_format",
  stopSequences: "stop",
  // Calls and their results, taken out of the talk.
  toolContent: "messages",
};

/** @throws GatewayError 400 when the library left out what the caller relies on. The rest is a matter of taste. */
export function refuseIgnored(warnings: readonly SharedV4Warning[]): void {
  for (const warning of warnings) {
    const param = warning.type === "unsupported" ? RELIED_ON[warning.feature] : undefined;
    if (param === undefined) continue;
    throw cannot(param);
  }
}

export function cannot(param: string): GatewayError {
  return new GatewayError("unsupported_parameter", `${param}: the agent's model cannot do this.`, { param });
}
