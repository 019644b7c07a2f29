import { homedir } from "node:os";
import { expect, test } from "vitest";
import { readEnvironment } from "../../src/config/env.ts";
import { ConfigError } from "../../src/errors/config-error.ts";

test("everything is under the user's home by default", () => {
  expect(readEnvironment({ HOME: "/home/u" })).toEqual({
    variables: { HOME: "/home/u" },
    home: "/home/u",
    stateDir: "/home/u/.openclaw",
    configPath: "/home/u/.openclaw/openclaw.json",
    configPathIsExplicit: false,
    port: undefined,
    token: undefined,
    password: undefined,
  });
  expect(readEnvironment({}).home).toBe(homedir());
});

test("OPENCLAW_HOME moves the home, OPENCLAW_STATE_DIR the state, OPENCLAW_CONFIG_PATH the file", () => {
  expect(readEnvironment({ HOME: "/h", OPENCLAW_HOME: "/o" })).toMatchObject({ home: "/o", stateDir: "/o/.openclaw" });
  expect(readEnvironment({ HOME: "/h", OPENCLAW_HOME: "/o", OPENCLAW_STATE_DIR: "/s" })).toMatchObject({
    home: "/o",
    stateDir: "/s",
    configPath: "/s/openclaw.json",
    configPathIsExplicit: false,
  });
  expect(readEnvironment({ HOME: "/h", OPENCLAW_STATE_DIR: "/s", OPENCLAW_CONFIG_PATH: "~/c.json5" })).toMatchObject({
    configPath: "/h/c.json5",
    configPathIsExplicit: true,
  });
});

test("a variable set to nothing counts as not set", () => {
  const env = readEnvironment({
    HOME: "/h",
    OPENCLAW_CONFIG_PATH: "",
    OPENCLAW_GATEWAY_TOKEN: " ",
    OPENCLAW_GATEWAY_PORT: "",
  });
  expect(env).toMatchObject({ configPathIsExplicit: false, token: undefined, port: undefined });
});

test("port, token and password are read", () => {
  expect(
    readEnvironment({
      HOME: "/h",
      OPENCLAW_GATEWAY_PORT: "0",
      OPENCLAW_GATEWAY_TOKEN: "t\n",
      OPENCLAW_GATEWAY_PASSWORD: "p w",
    }),
  ).toMatchObject({ port: 0, token: "t", password: "p w" });
});

test.each(["65536", "-1", "80a", "1.5", "0x50"])("the port %s is refused", (port) => {
  expect(() => readEnvironment({ HOME: "/h", OPENCLAW_GATEWAY_PORT: port })).toThrow(ConfigError);
});

test("a token that no header could carry is refused without being shown", () => {
  expect(() => readEnvironment({ HOME: "/h", OPENCLAW_GATEWAY_TOKEN: "abc\ndef" })).toThrow(
    /^OPENCLAW_GATEWAY_TOKEN holds a control/,
  );
});
