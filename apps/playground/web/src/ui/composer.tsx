import { useEffect, useRef } from "preact/hooks";
import type { Playground } from "../playground.ts";
import { type Entry, findRunningElsewhere } from "../talk/entry.ts";
import { toAnswerText } from "../talk/parts.ts";
import { PlugButton, PlugNote } from "./plug.tsx";
import { useStore } from "./use-store.ts";

export function Composer({ playground }: { playground: Playground }) {
  const { draft, talk, connection, plug } = playground;
  const { text } = useStore(draft);
  const { running, sessionKey, entries } = useStore(talk.store);
  const { model } = useStore(connection);
  const { pulled } = useStore(plug.store);
  const field = useRef<HTMLTextAreaElement>(null);

  // A new talk begins with typing.
  useEffect(() => field.current?.focus(), [sessionKey]);

  const send = () => void playground.send();
  const onKeyDown = (event: KeyboardEvent) => {
    // Enter also ends the composing of a character, in many scripts.
    if (event.key !== "Enter" || event.shiftKey || event.isComposing) return;
    event.preventDefault();
    send();
  };
  const canStop = running || findRunningElsewhere(entries) !== undefined;
  const spoken = pulled ? "Unplugged" : toSpoken(entries.at(-1));

  return (
    <div class="composer">
      <label class="off-screen" for="message">
        Message
      </label>
      <div class="box">
        <textarea
          id="message"
          ref={field}
          rows={1}
          value={text}
          placeholder={`Message ${model}`}
          aria-describedby="keys"
          onInput={(event) => draft.set({ text: event.currentTarget.value })}
          onKeyDown={onKeyDown}
        />
        {running && <PlugButton plug={plug} />}
        {canStop && (
          <button type="button" class="plain" onClick={() => talk.stop()}>
            Stop
          </button>
        )}
        {!running && (
          <button type="button" class="primary" disabled={text.trim() === ""} onClick={send}>
            Send
          </button>
        )}
      </div>
      <p class="hint">
        {pulled ? (
          <PlugNote />
        ) : (
          <span id="keys">
            <kbd>Enter</kbd> sends <kbd>Shift Enter</kbd> new line <kbd>Esc</kbd> stops
          </span>
        )}
        <span title="The agent remembers what was said under this key">{sessionKey}</span>
      </p>
      <p class="off-screen" aria-live="polite">
        {spoken}
      </p>
    </div>
  );
}

/**
 * The whole answer, once it is whole: word by word it would talk over itself. Until then, what tool is used. Of what is
 * said elsewhere the question, too.
 */
function toSpoken(entry: Entry | undefined): string {
  if (entry === undefined || entry.kind === "note") return "";
  const from = entry.isElsewhere ? "Elsewhere: " : "";
  if (entry.kind === "said") return from && from + entry.text;
  if (entry.status !== "running") return from + toAnswerText(entry.parts);
  const tool = entry.parts.findLast((part) => part.kind === "tool");
  return from + (tool === undefined ? "Answering" : `Using ${tool.name}`);
}
