import { setTimeout as sleep } from "node:timers/promises";

/** A tool of the workshop: slow enough to be seen at work. */
interface WorkshopTool {
  readonly takesMs: number;
  run(args: Readonly<Record<string, string>>): string;
}

const TOOLS: Readonly<Record<string, WorkshopTool>> = {
  read_clock: {
    takesMs: 500,
    run: () => new Date().toLocaleTimeString("en-GB", { hour: "2-digit", minute: "2-digit", timeZoneName: "short" }),
  },
  count_words: {
    takesMs: 900,
    run: ({ text = "" }) => String(text.match(/\S+/g)?.length ?? 0),
  },
  calculate: {
    takesMs: 700,
    run({ left, operator = "", right }) {
      const [a, b] = [Number(left), Number(right)];
      if (operator === "/" && b === 0) throw new Error("Nothing can be divided by zero.");
      const result = { "+": a + b, "-": a - b, "*": a * b, "/": a / b }[operator];
      if (result === undefined) throw new Error(`There is no ${operator}.`);
      // Without what binary fractions leave behind.
      return String(Number(result.toPrecision(12)));
    },
  },
};

export interface ToolResult {
  readonly ok: boolean;
  readonly text: string;
}

/** A failure is a result, too. @throws the signal's reason */
export async function runTool(
  name: string,
  args: Readonly<Record<string, string>>,
  signal: AbortSignal,
): Promise<ToolResult> {
  const { takesMs, run } = TOOLS[name] as WorkshopTool;
  await sleep(takesMs, undefined, { signal });
  try {
    return { ok: true, text: run(args) };
  } catch (error) {
    return { ok: false, text: `Error: ${(error as Error).message}` };
  }
}

/** The first two numbers with an operator between them, as arguments for `calculate`. */
export function findSum(question: string): { left: string; operator: string; right: string } | undefined {
  const [, left, sign, right] = /(\d+(?:\.\d+)?)\s*([-+*/x×÷])\s*(\d+(?:\.\d+)?)/.exec(question) ?? [];
  if (left === undefined || sign === undefined || right === undefined) return undefined;
  return { left, operator: { x: "*", "×": "*", "÷": "/" }[sign] ?? sign, right };
}
