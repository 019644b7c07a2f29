import fc from "fast-check";
import { expect, test } from "vitest";
import { createGrowingRedactor, createRedactor } from "../../src/errors/redact.ts";

test("a secret is replaced wherever it stands", () => {
  const redact = createRedactor(["sk-abc123", 'p/w+d= é"x']);
  expect(redact("key sk-abc123, again sk-abc123.")).toBe("key ***, again ***.");
  expect(redact("Authorization: Bearer sk-abc123")).toBe("Authorization: Bearer ***");
  expect(redact(JSON.stringify({ password: 'p/w+d= é"x' }))).toBe('{"password":"***"}');
  expect(redact(`?password=${encodeURIComponent('p/w+d= é"x')}&x=1`)).toBe("?password=***&x=1");
  expect(redact(new URLSearchParams({ password: 'p/w+d= é"x' }).toString())).toBe("password=***");
  expect(redact("?p=p%2fw%2bd%3d%20%c3%a9%22x")).toBe("?p=***");
  expect(redact("nothing here")).toBe("nothing here");
});

test("of a header value with a scheme the bare token is a secret too", () => {
  const redact = createRedactor(["Bearer tok-12345"]);
  expect(redact("invalid key tok-12345")).toBe("invalid key ***");
  expect(redact("sent Bearer tok-12345")).toBe("sent ***");
});

test("a secret that begins like another leaves nothing of the longer one", () => {
  expect(createRedactor(["abcd", "abcdefgh"])("x abcdefgh y abcd")).toBe("x *** y ***");
});

test("what is shorter than four characters is no secret", () => {
  expect(createRedactor(["abc", ""])("abc def")).toBe("abc def");
});

test("a secret that is not well-formed Unicode does no harm", () => {
  expect(createRedactor(["\ud800abcd"])("x\ud800abcdx")).toBe("x***x");
});

test("no secret is ever left, in any of its forms", () => {
  const secret = fc.string({
    minLength: 4,
    maxLength: 12,
    unit: fc.constantFrom("a", "b", "*", ".", "/", '"', "\\", "$", " ", "é"),
  });
  const form = fc.constantFrom<(text: string) => string>(
    (text) => text,
    (text) => encodeURIComponent(text),
    (text) => JSON.stringify(text),
    (text) => `Bearer ${text}`,
  );
  const piece = fc.oneof(fc.string({ maxLength: 5 }), fc.constant("ab*"));
  fc.assert(
    fc.property(
      fc.array(secret, { minLength: 1, maxLength: 3 }),
      fc.array(fc.tuple(fc.nat(2), form, piece)),
      (secrets, parts) => {
        const redact = createRedactor(secrets);
        const output = redact(
          parts.map(([index, write, text]) => write(secrets[index % secrets.length] ?? "") + text).join(""),
        );
        for (const text of secrets) {
          expect(output).not.toContain(text);
          expect(output).not.toContain(JSON.stringify(text).slice(1, -1));
          expect(output).not.toContain(encodeURIComponent(text));
        }
      },
    ),
  );
});

test("what is added again and again is never forgotten, and what is long gone is", () => {
  const { redact, add } = createGrowingRedactor();
  const many = Array.from({ length: 250 }, (_, index) => `of-the-config-${index}-`);
  add([...many, "first-of-all"]);
  const rotated = (round: number) => Array.from({ length: 100 }, (_, index) => `rotated-${round}-${index}-`);
  for (let round = 0; round < 3; round++) add([...rotated(round), ...many]);
  for (const secret of [...many, ...rotated(0), ...rotated(2)]) expect(redact(secret)).toBe("***");
  expect(redact("first-of-all")).toBe("first-of-all");
});
