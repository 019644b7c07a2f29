import { toAddress } from "../address.ts";
import type { Playground } from "../playground.ts";
import { useStore } from "./use-store.ts";

export function Header({ playground: { connection, talk, live } }: { playground: Playground }) {
  const { agents, model, status } = useStore(connection);
  const { sessionId } = useStore(talk.store);
  const { state } = useStore(live.store);
  return (
    <header>
      <h1>
        <Mark />
        OpenClaw <span>Playground</span>
      </h1>
      <p class="away" role="status" title="What is said elsewhere shows up when the connection is back">
        {state === "away" && "Not live, reconnecting"}
      </p>
      {sessionId !== undefined && (
        // biome-ignore lint/security/noBlankTarget: this very page, which is to have what this tab keeps: the token.
        <a class="window" href={toAddress(location, sessionId)} target="_blank" rel="opener">
          Open in a second window
        </a>
      )}
      <label class="agent">
        <span>Agent</span>
        <select
          value={model}
          disabled={status !== "ready"}
          onChange={(event) => connection.set({ model: event.currentTarget.value })}
        >
          {agents.length === 0 && <option value={model}>{model}</option>}
          {agents.map((agent) => (
            <option key={agent.model} value={agent.model}>
              {agent.label}
            </option>
          ))}
        </select>
      </label>
      <button type="button" class="plain" onClick={() => talk.startNew()}>
        New talk
      </button>
    </header>
  );
}

function Mark() {
  return (
    <svg class="mark" viewBox="0 0 32 32" aria-hidden="true">
      <path d="M23 6.5A11.5 11.5 0 1 0 23 25.5" />
      <circle cx="23" cy="16" r="3" />
    </svg>
  );
}
