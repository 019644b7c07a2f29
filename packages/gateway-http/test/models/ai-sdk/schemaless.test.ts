import { expect, test } from "vitest";
import { ask, askStream, hi } from "../../support/chat.ts";
import { anthropic } from "../../wires/anthropic.ts";
import { bedrock } from "../../wires/bedrock.ts";
import { google } from "../../wires/google.ts";
import { openaiResponses } from "../../wires/openai-responses.ts";
import { startOnWire } from "./on-wire.ts";

const SCHEMALESS = { type: "json_schema", json_schema: { name: "x" } };

for (const response_format of [{ type: "json_object" }, SCHEMALESS]) {
  test.each([anthropic, bedrock])(
    `$name has no words for JSON without a schema: it is asked for in words (${response_format.type})`,
    async (wire) => {
      const on = await startOnWire(wire, { steps: [{ text: ["words"] }, { text: ['{"a":', "1}"] }] });
      const { text } = await askStream(on, hi({ response_format }));
      expect(text).toBe('{"a":1}');
      expect(JSON.stringify(on.standIn.asked[0])).toContain("Answer with one JSON object");
      expect(on.standIn.asked).toHaveLength(2);
    },
  );

  test(`the others have (${response_format.type})`, async () => {
    const bodyOn = async (wire: typeof google) => {
      const on = await startOnWire(wire, { steps: [{ text: ["{}"] }] });
      expect((await ask(on, hi({ response_format }))).text).toBe("{}");
      return on.standIn.asked[0]?.json;
    };
    expect((await bodyOn(google)).generationConfig).toEqual({ responseMimeType: "application/json" });
    expect((await bodyOn(openaiResponses)).text).toEqual({ format: { type: "json_object" } });
  });

  test(`one that its operator takes for able is not believed (${response_format.type})`, async () => {
    for (const wire of [anthropic, bedrock]) {
      const models = [{ id: wire.model, structuredOutput: "native" }];
      const on = await startOnWire(wire, { steps: [{ text: ["words"] }], provider: { models } });
      const { status, json } = await ask(on, hi({ response_format }));
      expect(status).toBe(400);
      expect(json.error).toMatchObject({ code: "unsupported_parameter", param: "response_format" });
    }
  });
}
