import type { Playground } from "../playground.ts";
import { useStore } from "./use-store.ts";

export function Header({ playground: { connection, talk } }: { playground: Playground }) {
  const { agents, model, status } = useStore(connection);
  return (
    <header>
      <h1>
        <Mark />
        OpenClaw <span>Playground</span>
      </h1>
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
