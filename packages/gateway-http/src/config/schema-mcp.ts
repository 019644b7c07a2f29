import { z } from "zod";
import { headers, problemOfUrl } from "./schema-models.ts";

/** A server that the gateway starts, and speaks to over standard input and output. */
export interface McpCommand {
  readonly command: string;
  readonly args: readonly string[];
  readonly env: Readonly<Record<string, string>>;
}

/** A server that somebody else runs, and that is spoken to over streamable HTTP. */
export interface McpUrl {
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
}

const argument = z.string().refine((text) => !text.includes("\0"), "must not hold a NUL character");

const url = z
  .string()
  .trim()
  .superRefine((text, context) => {
    const message = problemOfUrl(text, "https://mcp.example.com/mcp", "use headers");
    if (message !== undefined) context.addIssue({ code: "custom", message });
  });

const serverSchema = z
  .strictObject({
    /** A program on the gateway's PATH or with its path. It is started without a shell. */
    command: argument.trim().min(1, "must not be empty").optional(),
    args: z.array(argument).optional(),
    /** Beside the few variables that every server gets; nothing else of the gateway's own environment reaches it. */
    env: z
      .record(
        z.string().regex(/^[^=\0]+$/, "must be the name of a variable"),
        z.union([argument, z.number(), z.boolean()], { error: "must be text" }).transform(String),
      )
      .optional(),
    /** Of a server that speaks streamable HTTP. */
    url: url.optional(),
    headers: headers.optional(),
  })
  .superRefine(({ command, args, env, url, headers }, context) => {
    const add = (message: string, ...path: string[]) => context.addIssue({ code: "custom", message, path });
    // An unknown key may well be one of the two with a slip of the pen; it is told of by itself.
    const isMissing = command === undefined && url === undefined;
    if (isMissing && !context.issues.some(({ code }) => code === "unrecognized_keys")) {
      add("needs command (a program to start) or url (a server to call)");
    }
    if (command !== undefined && url !== undefined) return add("give command or url, not both", "url");
    if (url !== undefined && args !== undefined) add("only together with command", "args");
    if (url !== undefined && env !== undefined) add("only together with command", "env");
    if (command !== undefined && headers !== undefined) add("only together with url", "headers");
  })
  .transform(({ command, args = [], env = {}, url = "", headers = {} }): McpCommand | McpUrl =>
    command === undefined ? { url, headers } : { command, args, env },
  );

/** Tools are named after it, and "__" stands between the two names. */
const serverName = z
  .string()
  .regex(
    /^(?!.*__)[A-Za-z0-9][A-Za-z0-9_-]{0,31}$/,
    'a server\'s name must be 1 to 32 of letters, digits, "_" and "-", begin with a letter or digit, and have no "__"',
  );

export const mcpSchema = z.strictObject({ servers: z.record(serverName, serverSchema).default({}) }).prefault({});
