import { readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { readJson5 } from "../../../src/config/json5.ts";
import { parseConfig } from "../../../src/config/parse.ts";
import { KNOWN_PROVIDERS } from "../../../src/models/known-providers.ts";
import { checkModels } from "../../../src/models/resolve-provider.ts";

const TEXT = readFileSync(join(import.meta.dirname, "../../../../../docs/models.md"), "utf8");
const VARIABLES = {
  MINE_API_KEY: "k",
  AZURE_OPENAI_API_KEY: "k",
  AWS_REGION: "us-east-1",
  ...Object.fromEntries(
    [...KNOWN_PROVIDERS.values()].flatMap(({ keyVariables = [] }) => keyVariables.map((name) => [name, "k"])),
  ),
};

const blocks = [...TEXT.matchAll(/```json5\n(.*?)```/gs)].map(([, block = ""]) => block);

test.each(blocks)("a config of docs/models.md can be used as it is: %s", (block) => {
  const { config, notices } = parseConfig(readJson5(block, "docs/models.md").value, undefined, VARIABLES);
  expect(notices).toEqual([]);
  expect(() => checkModels(config, VARIABLES)).not.toThrow();
});

test("docs/models.md names every known provider", () => {
  expect([...KNOWN_PROVIDERS.keys()].filter((id) => !TEXT.includes(`\`${id}\``))).toEqual([]);
});
