import type { Playground } from "../playground.ts";
import { AnswerView } from "./answer-view.tsx";
import { Elsewhere } from "./elsewhere.tsx";
import { useStickToEnd } from "./use-stick-to-end.ts";
import { useStore } from "./use-store.ts";
import { Welcome } from "./welcome.tsx";

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
              <>
                {entry.kind === "said" && entry.isElsewhere && <Elsewhere />}
                {entry.text}
              </>
            )}
          </li>
        ))}
      </ol>
    </div>
  );
}
