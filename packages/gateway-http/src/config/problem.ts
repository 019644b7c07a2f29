export type ConfigPath = readonly (string | number)[];

/** The line a key stands on, or the nearest thing around it; `undefined` when there is no text behind the config. */
export type Locate = (path: ConfigPath) => number | undefined;

/** Something wrong with a config, at a path; the empty path is the whole. */
export interface ConfigProblem {
  readonly path: ConfigPath;
  readonly message: string;
}

/** `agents.list[0].model`; keys that would not read well so are quoted. */
export function formatPath(path: ConfigPath): string {
  const text = path
    .map((key) => {
      if (typeof key === "number") return `[${key}]`;
      return /^[\w$-]+$/.test(key) ? `.${key}` : `[${JSON.stringify(key)}]`;
    })
    .join("");
  return text === "" ? "config" : text.replace(/^\./, "");
}

/** `gateway.port (line 4)`, or without a line where none is known. */
export function formatPlace(path: ConfigPath, locate: Locate | undefined): string {
  const line = locate?.(path);
  return line === undefined ? formatPath(path) : `${formatPath(path)} (line ${line})`;
}

/** One line for each problem, in the order of the file. */
export function formatProblems(problems: readonly ConfigProblem[], locate: Locate | undefined): string {
  return problems
    .map((problem, index) => ({ ...problem, index, line: locate?.(problem.path) ?? 0 }))
    .sort((a, b) => a.line - b.line || a.index - b.index)
    .map(({ path, message }) => `${formatPlace(path, locate)}: ${message}`)
    .join("\n");
}
