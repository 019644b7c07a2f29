import type { Playground } from "../playground.ts";
import { AnswerView } from "./answer-view.tsx";
import { useStickToEnd } from "./use-stick-to-end.ts";
import { useStore } from "./use-store.ts";

export function Transcript({ playground: { talk, connection } }: { playground: Playground }) {
  const { entries, running } = useStore(talk.store);
  const { ref, onScroll } = useStickToEnd<HTMLDivElement>(entries);
  const lastId = entries.at(-1)?.id;
  return (
    // biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls must be reachable by keyboard.
    <div class="transcript" ref={ref} onScroll={onScroll} tabIndex={0} role="log" aria-label="Messages" aria-live="off">
      {entries.length === 0 && <Welcome connection={connection} />}
      <ol>
        {entries.map((entry) => (
          <li key={entry.id} class={entry.kind}>
            {entry.kind === "answer" ? (
              <AnswerView
                answer={entry}
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

function Welcome({ connection }: Pick<Playground, "connection">) {
  const { agents, model } = useStore(connection);
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
    </div>
  );
}
