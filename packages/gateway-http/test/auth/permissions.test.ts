import { expect, test } from "vitest";
import { LOCAL, OPERATOR } from "../../src/auth/caller.ts";
import { mayUse, requireAgent, requireScope } from "../../src/auth/permissions.ts";
import { SCOPES, type Scope } from "../../src/config/schema-auth.ts";
import { GatewayError } from "../../src/index.ts";

const caller = (scopes: Scope[], agents?: string[]) => ({
  owner: "ann",
  scopes: new Set(scopes),
  agents: agents && new Set(agents),
  limits: {},
});

function refusal(run: () => void): GatewayError | undefined {
  try {
    run();
  } catch (error) {
    expect(error).toBeInstanceOf(GatewayError);
    return error as GatewayError;
  }
  return undefined;
}

test("a scope is what it says, and no other", () => {
  for (const has of SCOPES) {
    for (const needs of SCOPES) {
      const error = refusal(() => requireScope(caller([has]), needs, "x"));
      if (has === needs) expect(error).toBeUndefined();
      else expect(error).toMatchObject({ code: "missing_scope", status: 403, param: "x" });
    }
  }
  for (const needs of SCOPES) {
    for (const all of [OPERATOR, LOCAL]) expect(refusal(() => requireScope(all, needs))).toBeUndefined();
    expect(refusal(() => requireScope(caller([]), needs))).toMatchObject({ code: "missing_scope" });
  }
});

test("without a list all agents may be used, with an empty one none", () => {
  expect([caller([]), OPERATOR, LOCAL].map((who) => mayUse(who, "main"))).toEqual([true, true, true]);
  expect(mayUse(caller([], []), "main")).toBe(false);
  expect(mayUse(caller([], ["poet"]), "main")).toBe(false);
  expect(mayUse(caller([], ["poet"]), "poet")).toBe(true);
  expect(mayUse(caller([], ["constructor"]), "toString")).toBe(false);
});

test("a refusal names the agents that are the key's own, and not the one it may not use", () => {
  const said = (agents: string[]) => refusal(() => requireAgent(caller([], agents), "secret", "model"));
  expect(said(["poet", "bard"])).toMatchObject({ code: "agent_not_allowed", status: 403, param: "model" });
  expect(said(["poet", "bard"])?.message).toContain("openclaw/poet, openclaw/bard.");
  expect(said([])?.message).toContain("no agent at all");
  const many = said(Array.from({ length: 14 }, (_, index) => `a${index}`))?.message;
  expect(many).toContain("openclaw/a9 and 4 more");
  for (const message of [said(["poet"])?.message, said([])?.message, many]) expect(message).not.toContain("secret");
});
