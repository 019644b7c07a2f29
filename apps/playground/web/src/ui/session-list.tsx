import type { Session } from "@openclaw/client";
import { useEffect, useState } from "preact/hooks";
import type { Playground } from "../playground.ts";
import { toBareKey } from "../talk/sessions.ts";
import { toAge } from "./age.ts";
import { ProblemCard } from "./problem-card.tsx";
import { useStore } from "./use-store.ts";

/** What the gateway keeps, to go on with or to delete. */
export function SessionList({ playground }: { playground: Playground }) {
  const { sessions } = playground;
  const { list, hasMore, problem } = useStore(sessions.store);
  useEffect(() => {
    void sessions.load();
    return sessions.clear;
  }, [sessions]);

  return (
    <section class="sessions" aria-label="Sessions">
      {problem && <ProblemCard problem={problem} />}
      {list.length > 0 && <h3>Or go on with a session that the gateway keeps</h3>}
      <ul>
        {list.map((session) => (
          <li key={session.id}>
            <button type="button" class="open" onClick={() => void playground.open(session)} title={session.id}>
              <span>{session.title ?? toBareKey(session)}</span>
              <small>
                {session.active_run !== null && <i class="live" aria-hidden="true" />}
                {toFacts(session)}
              </small>
            </button>
            <DeleteButton onDelete={() => void sessions.remove(session)} />
          </li>
        ))}
      </ul>
      {hasMore && (
        <button type="button" class="quiet" onClick={() => void sessions.more()}>
          More
        </button>
      )}
    </section>
  );
}

function toFacts({ agent, messages, updated_at, active_run }: Session): string {
  const size = messages === 1 ? "1 message" : `${messages} messages`;
  return [agent, size, active_run === null ? toAge(Date.now() / 1000 - updated_at) : "answering"].join(" · ");
}

/** Asks once more, because what is deleted is gone. */
function DeleteButton({ onDelete }: { onDelete: () => void }) {
  const [asks, setAsks] = useState(false);
  return (
    <button
      type="button"
      class={asks ? "quiet asks" : "quiet"}
      onClick={() => (asks ? onDelete() : setAsks(true))}
      onBlur={() => setAsks(false)}
    >
      {asks ? "Really delete" : "Delete"}
    </button>
  );
}
