import { isAgentId, MAX_MODEL_LENGTH, parseAgentTarget } from "@openclaw/protocol";
import { z } from "zod";
import { timerSeconds } from "./schema-values.ts";

/** The built-in model that needs no provider. It answers, and says what it is. */
export const DEMO_MODEL = "demo";

const MODEL_FORM = `must be "provider/model", for example "openai/gpt-4o", or "${DEMO_MODEL}"`;

const modelReference = z
  .string()
  .trim()
  .refine((reference) => reference === DEMO_MODEL || /^[^/\s]+\/\S+$/.test(reference), MODEL_FORM);

/** Each may be waited for as long as its provider's timeout allows: more of them help nobody. */
const MAX_FALLBACKS = 8;

const modelChain = z
  .strictObject({
    primary: modelReference,
    fallbacks: z.array(modelReference).max(MAX_FALLBACKS, `must be at most ${MAX_FALLBACKS}`).default([]),
  })
  .superRefine(({ primary, fallbacks }, context) => {
    for (const [index, reference] of fallbacks.entries()) {
      if (reference !== primary && fallbacks.indexOf(reference) === index) continue;
      context.addIssue({
        code: "custom",
        path: ["fallbacks", index],
        message: `"${reference}" is in the chain already`,
      });
    }
  });

/** One value, so that an agent with a model of its own does not get another's fallbacks. */
const model = z
  .union([modelReference, modelChain], { error: MODEL_FORM })
  .transform((value) => (typeof value === "string" ? { primary: value, fallbacks: [] } : value));

/** What the gateway itself says in a provider's request; a value of the config's would be overwritten or break it. */
const OWN_PARAMS = new Set(["model", "messages", "stream", "stream_options", "n"]);

const json = z.json();
const jsonValue = z.custom<z.output<typeof json>>((value) => json.safeParse(value).success, "must be JSON");

const params = z.record(z.string(), jsonValue).superRefine((values, context) => {
  for (const key of Object.keys(values)) {
    if (OWN_PARAMS.has(key)) context.addIssue({ code: "custom", path: [key], message: "set by the gateway itself" });
  }
});

const exposeReasoning = z.union([z.literal(false), z.enum(["reasoning_content", "reasoning"])], {
  error: 'expected false, "reasoning_content" or "reasoning"',
});

/** A tool's name, in which `*` and the other signs of a glob stand for more than themselves. */
const toolGlob = z
  .string()
  .trim()
  .superRefine((glob, context) => {
    const message = problemOfGlob(glob);
    if (message !== undefined) context.addIssue({ code: "custom", message });
  });

const tools = z.strictObject({ allow: z.array(toolGlob).optional(), deny: z.array(toolGlob).optional() });

/** Model calls in one run: a model that goes on calling tools comes to its end here. */
const maxSteps = z.int().min(1).max(1000);

const alias = z.string().trim().toLowerCase().min(1, "must not be empty").max(MAX_MODEL_LENGTH);

const defaultsSchema = z
  .strictObject({
    model: model.prefault(DEMO_MODEL),
    /** How long a run may take. */
    timeoutSeconds: timerSeconds.default(600),
    instructions: z.string().optional(),
    params: params.default({}),
    exposeReasoning: exposeReasoning.default(false),
    tools: tools.default({}),
    maxSteps: maxSteps.default(20),
  })
  .transform(({ model, ...rest }) => ({ ...rest, ...toChain(model) }))
  .prefault({});

const agentSchema = z.strictObject({
  id: z
    .string()
    .trim()
    .toLowerCase()
    .refine(isAgentId, 'must be 1 to 64 of a-z, 0-9, "_" and "-", begin with a letter or digit, and not be "default"'),
  default: z.boolean().default(false),
  name: z.string().optional(),
  description: z.string().optional(),
  aliases: z.array(alias).default([]),
  model: model.optional(),
  timeoutSeconds: timerSeconds.optional(),
  instructions: z.string().optional(),
  params: params.optional(),
  exposeReasoning: exposeReasoning.optional(),
  /** In the place of the defaults' as a whole: half a policy of another's would allow what nobody meant. */
  tools: tools.optional(),
  maxSteps: maxSteps.optional(),
});

type Agent = z.output<typeof agentSchema>;
type Defaults = z.output<typeof defaultsSchema>;

/** `agents`, with what an agent leaves out taken from `agents.defaults`. */
export const agentsSchema = z
  .strictObject({ defaults: defaultsSchema, list: z.array(agentSchema).default([]) })
  .superRefine(({ list }, context) => {
    const add = (path: (string | number)[], message: string) =>
      context.addIssue({ code: "custom", path: ["list", ...path], message });
    checkIds(list, add);
    checkAliases(list, add);
  })
  .transform(({ defaults, list }) => ({ defaults, list: list.map((agent) => withDefaults(agent, defaults)) }))
  .prefault({});

function withDefaults(agent: Agent, defaults: Defaults) {
  return {
    ...agent,
    aliases: [...new Set(agent.aliases)],
    ...(agent.model ? toChain(agent.model) : { model: defaults.model, fallbacks: defaults.fallbacks }),
    timeoutSeconds: agent.timeoutSeconds ?? defaults.timeoutSeconds,
    instructions: agent.instructions ?? defaults.instructions,
    params: { ...defaults.params, ...agent.params },
    exposeReasoning: agent.exposeReasoning ?? defaults.exposeReasoning,
    tools: agent.tools ?? defaults.tools,
    maxSteps: agent.maxSteps ?? defaults.maxSteps,
  };
}

function toChain({ primary, fallbacks }: z.output<typeof model>) {
  return { model: primary, fallbacks };
}

/** Why a glob is not one that tools' names can match: passed over it would allow, or deny, less than was meant. */
function problemOfGlob(glob: string): string | undefined {
  if (glob === "") return "must not be empty";
  if (glob.length > 256) return "must have at most 256 characters";
  // In a list of globs of which one has to fit, "all but this" would let in what the others keep out.
  if (glob.startsWith("!")) return 'must not begin with "!"; use deny';
  const [strange] = glob.match(/[^\w*?[\]{}(),!^|+@-]/u) ?? [];
  if (strange !== undefined) return `matches no tool: names have no ${JSON.stringify(strange)}`;
  if (!isBalanced(glob)) return "matches no tool: a bracket has no other half";
  if (!/[*?[({]|__/.test(glob)) return `matches no tool: names are <server>__<tool>, for example "${glob}__*"`;
  return undefined;
}

function isBalanced(glob: string): boolean {
  const open: string[] = [];
  for (const [sign] of glob.matchAll(/[[\](){}]/g)) {
    if ("[({".includes(sign)) open.push(sign);
    else if (open.pop() !== { "]": "[", ")": "(", "}": "{" }[sign]) return false;
  }
  return open.length === 0;
}

type AddIssue = (path: (string | number)[], message: string) => void;

function checkIds(list: readonly Agent[], add: AddIssue): void {
  const seen = new Set<string>();
  let marked: string | undefined;
  for (const [index, agent] of list.entries()) {
    if (seen.has(agent.id)) add([index, "id"], `another agent is called "${agent.id}" too`);
    seen.add(agent.id);
    if (agent.default && marked !== undefined) add([index, "default"], `"${marked}" is the default agent already`);
    if (agent.default) marked ??= agent.id;
  }
}

function checkAliases(list: readonly Agent[], add: AddIssue): void {
  const owners = new Map<string, number>();
  for (const [index, agent] of list.entries()) {
    for (const [position, name] of agent.aliases.entries()) {
      const path = [index, "aliases", position];
      const owner = owners.get(name) ?? index;
      if (parseAgentTarget(name).kind !== "other") add(path, `"${name}" already names an agent by itself`);
      else if (list.some(({ id }, other) => id === name && other !== index)) add(path, `"${name}" is an agent's id`);
      else if (owner !== index) add(path, `"${name}" is an alias of "${list[owner]?.id}" already`);
      owners.set(name, owner);
    }
  }
}
