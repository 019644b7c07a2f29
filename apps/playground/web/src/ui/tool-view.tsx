import { toTime } from "../talk/figures.ts";
import type { ToolState, ToolUse } from "../talk/parts.ts";

/** More of a text is not shown. */
const MAX_CHARACTERS = 4_000;
const MAX_PREVIEW = 160;

export interface ToolViewProps {
  tool: ToolUse;
  state: ToolState;
  ms: number | undefined;
}

/** A tool as a line; where its call and result are known, it unfolds to them. */
export function ToolView({ tool, state, ms }: ToolViewProps) {
  const line = (
    <>
      <Mark state={state} />
      <code>{tool.name}</code>{" "}
      <span class="how">{state === "kept" ? toPreview(tool.result ?? "") : toHow(state, ms)}</span>
    </>
  );
  if (tool.arguments === undefined && tool.result === undefined) {
    return (
      <p class="step tool" data-state={state}>
        {line}
      </p>
    );
  }
  return (
    <details class="step tool" data-state={state}>
      <summary>{line}</summary>
      <dl>
        <Detail name="Called with" text={tool.arguments} />
        <Detail name="Result" text={tool.result} />
      </dl>
    </details>
  );
}

function Detail({ name, text }: { name: string; text: string | undefined }) {
  if (text === undefined) return null;
  const cut = text.length - MAX_CHARACTERS;
  return (
    <div>
      <dt>{name}</dt>
      <dd>
        {text === "" ? "nothing" : text.slice(0, MAX_CHARACTERS)}
        {cut > 0 && <em> {cut} more characters</em>}
      </dd>
    </div>
  );
}

const HOW: Readonly<Record<Exclude<ToolState, "kept">, string>> = {
  running: "running",
  ok: "ok",
  failed: "failed",
  stopped: "stopped",
  asked: "asked of the caller",
};

function toHow(state: Exclude<ToolState, "kept">, ms: number | undefined): string {
  const { value, unit } = toTime(ms);
  return ms === undefined ? HOW[state] : `${HOW[state]}, ${value} ${unit}`;
}

function toPreview(result: string): string {
  return result.slice(0, MAX_PREVIEW).trim().replaceAll(/\s+/g, " ");
}

const PATHS: Readonly<Record<Exclude<ToolState, "running">, string>> = {
  ok: "M3.5 8.5l3 3 6-7",
  failed: "M4 4l8 8M12 4l-8 8",
  stopped: "M4 8h8",
  kept: "M3 8h9M8.5 4.5L12 8l-3.5 3.5",
  asked: "M3 8h9M8.5 4.5L12 8l-3.5 3.5",
};

function Mark({ state }: { state: ToolState }) {
  if (state === "running") return <span class="mark-of spinner" aria-hidden="true" />;
  return (
    <svg class="mark-of" viewBox="0 0 16 16" aria-hidden="true">
      <path d={PATHS[state]} />
    </svg>
  );
}
