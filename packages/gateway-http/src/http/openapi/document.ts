import type { JsonSchema } from "./json-schemas.ts";
import { ANSWER_HEADERS, PARAMETERS } from "./parameters.ts";
import { createPaths } from "./paths.ts";
import { createSchemas } from "./schemas.ts";

const DESCRIPTION = `OpenAI's Chat Completions, with agents in the place of models, and what belongs to them.

Every error is one envelope, \`Error\`; \`x-error-codes\` lists those of a status. Paths that serve GET serve HEAD too. \
\`/v1\` is off until \`gateway.http.endpoints.chatCompletions.enabled\` is true. Sessions and completions belong to whoever \
made them: those of others are not there.`;

const BEARER = `The token or password of the gateway's configuration, or the token of one of its keys. A key has scopes: \
\`chat\`, \`sessions\` and \`models\` by itself, \`override-model\` and \`admin\` where its configuration names them. With \
\`gateway.auth.mode: none\`, and behind a trusted proxy, nothing need be sent.`;

/**
 * The API as an OpenAPI 3.1 document.
 * @see https://spec.openapis.org/oas/v3.1.1.html
 */
export function createDocument(version: string): JsonSchema {
  return {
    openapi: "3.1.1",
    info: {
      title: "OpenClaw Gateway HTTP",
      version,
      description: DESCRIPTION,
      license: { name: "MIT", identifier: "MIT" },
    },
    // Relative to where the document came from, whatever name the gateway has there.
    servers: [{ url: "/" }],
    paths: createPaths(),
    components: {
      schemas: createSchemas(),
      parameters: PARAMETERS,
      headers: ANSWER_HEADERS,
      securitySchemes: { bearer: { type: "http", scheme: "bearer", description: BEARER } },
    },
  };
}
