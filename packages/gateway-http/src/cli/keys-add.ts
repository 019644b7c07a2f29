import { hash, randomBytes } from "node:crypto";
import { isAgentId } from "@openclaw/protocol";
import { parseDuration } from "../config/duration.ts";
import { EditError } from "../config/edit-error.ts";
import { editFile } from "../config/edit-file.ts";
import { addKey, type KeyEntry } from "../config/edit-keys.ts";
import { KEY_PREFIX, keySchema, SCOPES, type Scope } from "../config/schema-auth.ts";
import { strayAgents } from "../config/stray-agents.ts";
import { type KeysContext, openConfig } from "./keys-context.ts";
import { type Options, UsageError } from "./options.ts";

/**
 * `keys add ID`: makes a token, writes its hash into the config and prints the token, this once.
 * @returns the exit code
 */
export async function addKeyCommand(id: string, options: Options, context: KeysContext): Promise<number> {
  const { stdout, stderr } = context;
  const token = `${KEY_PREFIX}${randomBytes(32).toString("base64url")}`;
  const key = toEntry(id, token, options);
  const { path, config, variables } = await openConfig(context);
  const say = (line: string) => stderr.write(`${line}\n`);
  let isNew: boolean;
  try {
    isNew = await editFile(path, (text) => addKey({ path, text, variables }, key));
  } catch (error) {
    if (!(error instanceof EditError)) throw error;
    say(`${path} cannot be edited: ${error.message}.`);
    say(`Nothing was changed. Write this into the list gateway.auth.keys by hand:\n  ${JSON.stringify(key)}`);
    say("Its token, which is not kept anywhere:");
    stdout.write(`${token}\n`);
    return 1;
  }
  if (!isNew) {
    say(`There is a key "${id}" already; nothing was changed. To replace it: openclaw-gateway keys revoke ${id}`);
    return 1;
  }
  for (const line of strayAgents({ agents: config.agents, keys: [key] })) say(`warning: ${line}`);
  say(`Added the key "${id}" to ${path}.`);
  say("Its token follows. Only its hash is kept, so it is not shown again:");
  stdout.write(`${token}\n`);
  return 0;
}

/** @throws UsageError */
function toEntry(id: string, token: string, options: Options): KeyEntry {
  const agents = readList(options.agents, "agents");
  const scopes = readList(options.scopes, "scopes");
  for (const agent of agents ?? []) {
    if (!isAgentId(agent)) throw new UsageError(`--agents: ${JSON.stringify(agent)} is no agent's id.`);
  }
  for (const scope of scopes ?? []) {
    if ((SCOPES as readonly string[]).includes(scope)) continue;
    throw new UsageError(`--scopes: ${JSON.stringify(scope)} is none of ${SCOPES.join(", ")}.`);
  }
  const limits = {
    ...readLimit(options["requests-per-minute"], "requestsPerMinute"),
    ...readLimit(options["concurrent-runs"], "concurrentRuns"),
  };
  const key: KeyEntry = {
    id,
    tokenHash: `sha256:${hash("sha256", token, "hex")}`,
    ...(agents && { agents }),
    ...(scopes && { scopes: scopes as Scope[] }),
    ...(options.expires !== undefined && { expiresAt: readExpiry(options.expires) }),
    ...(Object.keys(limits).length > 0 && { limits }),
  };
  const [issue] = keySchema.safeParse(key).error?.issues ?? [];
  if (issue) throw new UsageError(`${FLAGS[issue.path.at(-1) as string] ?? "ID"}: ${issue.message}`);
  return key;
}

const FLAGS: Record<string, string> = {
  requestsPerMinute: "--requests-per-minute",
  concurrentRuns: "--concurrent-runs",
  expiresAt: "--expires",
};

function readList(text: string | undefined, flag: string): string[] | undefined {
  if (text === undefined) return undefined;
  const items = text.split(",").map((item) => item.trim().toLowerCase());
  // Of a variable that is not set, as in --agents "$AGENTS", no key is to be made.
  if (items.includes("")) throw new UsageError(`--${flag}: a name is missing.`);
  return [...new Set(items)];
}

function readLimit<Name extends string>(text: string | undefined, name: Name): Partial<Record<Name, number>> {
  if (text === undefined) return {};
  if (!/^\d{1,9}$/.test(text)) throw new UsageError(`${FLAGS[name]}: must be a whole number.`);
  return { [name]: Number(text) } as Record<Name, number>;
}

/** A duration from now on (`30d`), or a date in ISO 8601. */
function readExpiry(text: string): string {
  const duration = parseDuration(text);
  const at = duration === undefined ? Date.parse(text) : Date.now() + duration;
  if (duration === undefined && !/^\d{4}-\d\d-\d\d/.test(text)) {
    throw new UsageError("--expires: must be a time from now such as 30d, or a date such as 2027-01-31.");
  }
  if (at <= Date.now()) throw new UsageError(`--expires: ${text} is over.`);
  if (duration === undefined) return text;
  if (at > MAX_DATE) throw new UsageError("--expires: is too far away.");
  return new Date(at).toISOString().replace(/\.\d+Z$/, "Z");
}

/** The last moment that ISO 8601 writes with four digits. */
const MAX_DATE = Date.UTC(9999, 11, 31);
