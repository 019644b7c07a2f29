import { expect, test } from "vitest";
import { parseConfig } from "../../src/config/parse.ts";
import { collectSecrets } from "../../src/config/secrets.ts";

test("all configured secrets are collected, and what is none is not", () => {
  const { config } = parseConfig({
    gateway: { auth: { token: "config-token", password: "config-password" } },
    models: {
      providers: {
        openai: { apiKey: "sk-config", headers: { "X-Api-Key": "header-key", "X-Title": "chat" } },
        ollama: { apiKey: "ollama" },
      },
    },
  });
  const env = {
    token: "env-token",
    password: undefined,
    variables: { OPENAI_API_KEY: "sk-env", HOME: "/h", GROQ_API_KEY: "" },
  };
  const secrets = collectSecrets({
    config,
    env,
    credentials: { secret: "generated" },
    keyVariables: ["OPENAI_API_KEY", "GROQ_API_KEY"],
  });
  expect(secrets.sort()).toEqual(
    ["config-token", "config-password", "env-token", "generated", "sk-config", "header-key", "sk-env"].sort(),
  );
});

test("what MCP servers are given is secret when its name says so, and a header nearly always", () => {
  const { config } = parseConfig({
    mcp: {
      servers: {
        git: {
          command: "git-server",
          env: {
            GITHUB_TOKEN: "gh-token",
            apiKey: "api-key",
            DB_PASSWD: "db",
            LANG: "de_DE",
            MY_SECRET: "hush",
            EMPTY_KEY: "",
          },
        },
        web: {
          url: "https://mcp.example.com/mcp?api_key=in-the-url&team=open",
          headers: { Authorization: "Bearer web-token", "X-Anything": "anything", Accept: "text/plain" },
        },
      },
    },
  });
  const secrets = collectSecrets({ config, env: { token: undefined, password: undefined, variables: {} } });
  expect(secrets.sort()).toEqual(
    ["gh-token", "api-key", "db", "hush", "in-the-url", "Bearer web-token", "anything"].sort(),
  );
});

test("a variable of an MCP server's is secret unless its value says that it is none", () => {
  const env = {
    GITHUB_PAT: "ghp_0123456789",
    SESSION: "0123456789abcdef",
    HEX: "0x0123456789abcdef",
    DATABASE_URL: "postgres://me:hunter%402@db.example.com/x",
    REMOTE: "https://ghp_abcdefghijklmnop@github.com/a/b",
    WEBHOOK: "https://example.com/hook?token=in-the-query&page=2",
    SLASH_KEY: "/begins-with-a-slash",
    // None of these.
    TOKENIZERS_PARALLELISM: "true",
    MAX_TOKENS: "100000000",
    NODE_ENV: "test",
    HOME_FOLDER: "/home/somebody",
    KEY_FILE: "/etc/key.pem",
    GOOGLE_APPLICATION_CREDENTIALS: "C:\\key.json",
    BASE_URL: "https://example.com/long/enough",
    LOCAL_DATABASE: "postgres://postgres@localhost/x",
  };
  const servers = { a: { command: "a", args: ["mysql://me:in-the-args@db/x", "--url", "plain"], env } };
  const { config } = parseConfig({ mcp: { servers } });
  const secrets = collectSecrets({ config, env: { token: undefined, password: undefined, variables: {} } });
  expect(secrets.sort()).toEqual(
    [
      ...[env.GITHUB_PAT, env.SESSION, env.HEX, env.DATABASE_URL, "hunter%402", "hunter@2", env.REMOTE, env.SLASH_KEY],
      ...["ghp_abcdefghijklmnop", env.WEBHOOK, "in-the-query", "in-the-args"],
    ].sort(),
  );
});
