import type { z } from "zod";
import { ConfigError } from "../errors/config-error.ts";
import { listAgentEntries } from "./agent-entries.ts";
import {
  type ConfigPath,
  type ConfigProblem,
  formatPath,
  formatPlace,
  formatProblems,
  type Locate,
} from "./problem.ts";
import { type Config, configSchema } from "./schema.ts";
import { screenKeys } from "./screen-keys.ts";
import type { StandIns } from "./stand-ins.ts";
import { substitute, type Variables } from "./substitute.ts";
import { suggestKey } from "./suggest-key.ts";

export interface ParsedConfig {
  readonly config: Config;
  /** One line for each kind of key that was passed over. */
  readonly notices: string[];
}

/**
 * Checks a config and applies the defaults.
 *
 * @param locate - Tells the line of a path, for messages.
 * @param variables - With them `${UPPER_VAR}` is replaced in strings; without them strings are taken as they are.
 * @param standIns - What to put where a variable is not set; without them that is a problem.
 * @throws {@link ConfigError} listing every problem found, one a line.
 */
export function parseConfig(input: unknown, locate?: Locate, variables?: Variables, standIns?: StandIns): ParsedConfig {
  const screened = screenKeys(input);
  // After the screening: a variable that only a passed-over section needs may be missing.
  const expanded = substitute(screened.value, variables, standIns?.find);
  const agents = listAgentEntries(expanded.value);
  const result = configSchema.safeParse(agents.value);
  const missing = new Set(expanded.problems.map(({ path }) => formatPath(path)));
  const invalid = (result.error?.issues ?? [])
    .flatMap((issue) => toProblems(issue))
    .map((problem) => ({ ...problem, path: agents.originalPath(problem.path) }))
    .filter(({ path }) => !missing.has(formatPath(path)));
  // What stood in for a variable is not of the kind that is wanted there: then something else may be.
  if (standIns?.exchange(invalid.map(({ path }) => formatPath(path)))) {
    return parseConfig(input, locate, variables, standIns);
  }
  const problems = [
    ...screened.problems,
    ...screened.unknown.map(unknownKey),
    ...expanded.problems,
    ...agents.problems,
    ...invalid.flatMap((problem) => problem.keys?.map((key) => unknownKey([...problem.path, key])) ?? problem),
  ];
  if (problems.length > 0 || !result.success) throw new ConfigError(formatProblems(problems, locate));
  return { config: result.data, notices: [...screened.passedOver.values()].map((paths) => toNotice(paths, locate)) };
}

/** With `keys` it is about unknown keys at `path`. */
type Problem = ConfigProblem & { readonly keys?: readonly string[] };

function toProblems(issue: z.core.$ZodIssue, parent: ConfigPath = []): Problem[] {
  const path = [...parent, ...issue.path.map((key) => (typeof key === "number" ? key : String(key)))];
  if (issue.code === "unrecognized_keys") return [{ path, message: issue.message, keys: issue.keys }];
  if (issue.code === "invalid_key") return issue.issues.map(({ message }) => ({ path, message: plain(message) }));
  const meant = issue.code === "invalid_union" ? meantBranch(issue.errors) : undefined;
  return meant?.flatMap((error) => toProblems(error, path)) ?? [{ path, message: plain(issue.message) }];
}

/** Of a union's branches the one whose type fits is the one that was meant. */
function meantBranch(branches: z.core.$ZodIssue[][]): z.core.$ZodIssue[] | undefined {
  const fitting = branches.filter((issues) =>
    issues.every(({ code, path }) => path.length > 0 || (code !== "invalid_type" && code !== "invalid_value")),
  );
  return fitting.length === 1 ? fitting[0] : undefined;
}

function plain(message: string): string {
  if (message.endsWith(", received undefined")) return "required";
  return message.replace(/^(?:Invalid (?:input|option|string)|Too (?:small|big)): /, "");
}

function unknownKey(path: ConfigPath): ConfigProblem {
  const suggestion = suggestKey(path);
  return { path, message: `unknown key${suggestion === undefined ? "" : `; did you mean ${suggestion}?`}` };
}

function toNotice(paths: readonly ConfigPath[], locate: Locate | undefined): string {
  const more = paths.length > 1 ? ` and ${paths.length - 1} more like it` : "";
  return `${formatPlace(paths[0] ?? [], locate)}${more}: not served by this gateway, passed over`;
}
