import { existsSync, readdirSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { ERRORS } from "@openclaw/protocol";
import { expect, test } from "vitest";

const ROOT = join(import.meta.dirname, "../../..");
const DOCUMENTS = [
  "README.md",
  "CONTRIBUTING.md",
  ...readdirSync(join(ROOT, "docs"))
    .filter((name) => name.endsWith(".md"))
    .map((name) => `docs/${name}`),
  ...readdirSync(join(ROOT, "packages")).map((name) => `packages/${name}/README.md`),
];

const read = (path: string): string => readFileSync(join(ROOT, path), "utf8");

test("docs/http-api.md lists every error code with its status, and no other", () => {
  const section =
    read("docs/http-api.md")
      .split(/^## Errors$/m)[1]
      ?.split(/^## /m)[0] ?? "";
  const listed = [...section.matchAll(/^\| *`(\w+)` *\| *(\d{3}) *\|/gm)].map(([, code, status]) => [
    code,
    Number(status),
  ]);
  const known = Object.entries(ERRORS).map(([code, { status }]) => [code, status]);
  expect(listed.sort()).toEqual(known.sort());
});

test("every threat of docs/security.md has tests, and they are there under their titles", () => {
  const text = read("docs/security.md");
  const section = text.split(/^## Threats$/m)[1]?.split(/^## /m)[0] ?? "";
  const rows = section.split("\n").filter((line) => line.startsWith("| ") && !/^\| (threat|-+) /.test(line));
  const files = new Map(Array.from(text.matchAll(/^\[([\w-]+)\]: \.\.\/(\S+)$/gm), ([, name, path]) => [name, path]));
  expect(rows.length).toBeGreaterThan(20);
  const problems = rows.flatMap((row) => {
    const tests = [...row.matchAll(/\[([^\]]+)\]\[([\w-]+)\]/g)];
    if (tests.length === 0) return [`no test: ${row.slice(0, 60)}`];
    return tests.flatMap(([, title = "", name = ""]) => {
      const path = files.get(name) ?? "";
      const isThere = /\.(?:test|e2e)\.ts$/.test(path) && existsSync(join(ROOT, path));
      return isThere && read(path).includes(`(${JSON.stringify(title)}`) ? [] : [`${name}: ${title}`];
    });
  });
  expect(problems).toEqual([]);
});

for (const document of DOCUMENTS) {
  test(`every relative link of ${document} leads somewhere`, () => {
    const links = [...read(document).matchAll(/\]\((?!https?:|mailto:)([^)\s]+)\)/g)].map(([, link = ""]) => link);
    const dead = links.filter((link) => {
      const [path = "", anchor] = link.split("#");
      const target = path === "" ? document : join(dirname(document), path);
      if (!existsSync(join(ROOT, target))) return true;
      return anchor !== undefined && !anchorsOf(read(target)).includes(anchor);
    });
    expect(dead).toEqual([]);
  });

  test(`every path of the repository that ${document} names is there`, () => {
    const text = read(document).replace(/https?:\/\/\S+/g, "");
    const named = text.matchAll(
      /(?<![\w/.@-])(?:packages|apps|docs|e2e|bench|deploy|scripts|\.ci|\.github)\/[\w./@-]*\w/g,
    );
    // Files of the source by their room, as `models/model.ts`. A folder alone may be planned; a file is there or not.
    const files = text.matchAll(/`(?:src\/)?(\w+\/[\w/-]+\.ts)`/g);
    const paths = [...Array.from(named, ([path]) => path), ...Array.from(files, ([, path = ""]) => path)];
    const places = ["", "packages", "packages/gateway-http/src"];
    const isThere = (path: string) => places.some((place) => existsSync(join(ROOT, place, path)));
    expect(paths.filter((path) => !path.includes("/dist/") && !isThere(path))).toEqual([]);
  });
}

/** The anchors that GitHub gives to headings. */
function anchorsOf(text: string): string[] {
  return [...text.matchAll(/^#+ +(.+)$/gm)].map(([, heading = ""]) =>
    heading
      .toLowerCase()
      .replace(/[^\p{L}\p{N} _-]/gu, "")
      .replaceAll(" ", "-"),
  );
}
