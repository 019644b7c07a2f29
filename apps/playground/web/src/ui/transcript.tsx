import type { Playground } from "../playground.ts";
import { AnswerView } from "./answer-view.tsx";
import { SessionList } from "./session-list.tsx";
import { useStickToEnd } from "./use-stick-to-end.ts";
import { useStore } from "./use-store.ts";

export function Transcript({ playground }: { playground: Playground }) {
  const { talk } = playground;
  const { entries, running } = useStore(talk.store);
  const { ref, onScroll } = useStickToEnd<HTMLDivElement>(entries);
  const lastId = entries.at(-1)?.id;
  return (
    // biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls must be reachable by keyboard.
    <div class="transcript" ref={ref} onScroll={onScroll} tabIndex={0} role="log" aria-label="Messages" aria-live="off">
      {entries.length === 0 && <Welcome playground={playground} />}
      <ol>
        {entries.map((entry) => (
          <li key={entry.id} class={entry.kind}>
            {entry.kind === "answer" ? (
              <AnswerView
                answer={entry}
                onFork={running ? undefined : (ref) => void playground.fork(ref)}
                onSendAgain={entry.id === lastId && !running ? () => void talk.sendAgain() : undefined}
              />
            ) : (
              entry.text
            )}
          </li>
        ))}
      </ol>
    </div>
  );
}

function Welcome({ playground }: { playground: Playground }) {
  const { agents, model, status } = useStore(playground.connection);
  const description = agents.find((agent) => agent.model === model)?.description;
  return (
    <div class="welcome">
      <h2>Say something.</h2>
      <p>
        The answer arrives here as it is written. Beside it: every byte of the stream, what it took, and the same
        request for your own code.
      </p>
      {description !== undefined && (
        <p>
          <code>{model}</code> {description}
        </p>
      )}
      {agents.some((agent) => agent.model === COUNTER) && (
        <p>
          An answer outlives its connection:{" "}
          <button type="button" class="link" onClick={() => letCount(playground)}>
            let the counter count
          </button>{" "}
          and pull the plug.
        </p>
      )}
      {status === "ready" && <SessionList playground={playground} />}
    </div>
  );
}

/** The agent of this playground's server whose answer takes its time. */
const COUNTER = "openclaw/counter";

function letCount({ connection, draft, send }: Playground): void {
  connection.set({ model: COUNTER });
  draft.set({ text: "Count to 200." });
  void send();
}
