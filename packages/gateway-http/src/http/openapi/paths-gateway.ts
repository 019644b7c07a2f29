import { json, type Operation } from "./operation.ts";

const models = { tag: "Models", scope: "models" } as const;
const gateway = { tag: "Gateway" } as const;

export const listModels: Operation = {
  ...models,
  id: "listModels",
  summary: "Lists the agents that the caller may use",
  answers: { 200: json("ModelList", "All of them.") },
  errors: ["endpoint_disabled"],
};

export const retrieveModel: Operation = {
  ...models,
  id: "retrieveModel",
  summary: "Retrieves an agent",
  parameters: ["modelId"],
  answers: { 200: json("Model", "The agent.") },
  errors: ["endpoint_disabled", "model_not_found", "agent_not_allowed"],
};

export const health: Operation = {
  ...gateway,
  id: "getHealth",
  summary: "Answers while the process lives",
  answers: { 200: json("Health", "Alive.") },
  errors: [],
};

export const ready: Operation = {
  ...gateway,
  id: "getReady",
  summary: "Tells whether new runs are taken",
  answers: { 200: json("Ready", "They are."), 503: json("Ready", "Starting, or shutting down.") },
  errors: [],
};

export const status: Operation = {
  ...gateway,
  id: "getStatus",
  summary: "Tells how the gateway is",
  description: "For whoever runs it, whether or not the endpoint is on.",
  scope: "admin",
  answers: { 200: json("GatewayStatus", "As it is now.") },
  errors: [],
};

export const metrics: Operation = {
  ...gateway,
  id: "getMetrics",
  summary: "Counts what happened, for Prometheus",
  description: "Whether or not the endpoint is on.",
  scope: "admin",
  answers: {
    200: {
      description: "Prometheus' text format, version 0.0.4.",
      content: { "text/plain": { schema: { type: "string" } } },
    },
  },
  errors: [],
};

export const openApi: Operation = {
  ...gateway,
  id: "getOpenApi",
  summary: "This document",
  parameters: ["ifNoneMatch"],
  answers: {
    200: {
      description: "OpenAPI 3.1.",
      headers: ["etag"],
      content: { "application/json": { schema: { type: "object" } } },
    },
    304: { description: "It is the one that the caller has.", headers: ["etag"] },
  },
  errors: [],
};
