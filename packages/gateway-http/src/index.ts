// Embedding

export type { Agent, AgentOutput, AgentTurn } from "./agents/agent.ts";
export type { AgentSettings } from "./agents/agent-settings.ts";
export type { AgentTemplate, ModelAgentDefinition } from "./agents/agent-template.ts";
export { type AgentDefinition, defineAgent } from "./agents/define-agent.ts";
export type { AgentEvent, RunEvent } from "./chat/run-event.ts";
export type { Turn, TurnMessage, TurnParams } from "./chat/turn.ts";
// Configuration
export { type LoadConfigOptions, type LoadedConfig, loadConfig } from "./config/load.ts";
export type { Config, ConfigInput } from "./config/schema.ts";
// Errors
export { ConfigError } from "./errors/config-error.ts";
export { GatewayError, type GatewayErrorOptions } from "./errors/gateway-error.ts";
export { StateLockedError } from "./errors/state-locked-error.ts";
export { createGateway, type Gateway, type GatewayAddress, type GatewayOptions } from "./gateway.ts";
export type { Run, RunResult, RunSink } from "./runs/run.ts";
export type { RunRequest } from "./runs/run-request.ts";
export type { Runs } from "./runs/runs.ts";
// Tools
export type { ToolDefinition } from "./tools/function-tools.ts";
export type { ToolContext } from "./tools/tool.ts";
