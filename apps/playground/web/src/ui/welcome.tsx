import type { Playground } from "../playground.ts";
import { SessionList } from "./session-list.tsx";
import { useStore } from "./use-store.ts";

/** What this playground's own agents show best. */
const SHOWS = [
  {
    model: "openclaw/counter",
    before: "An answer outlives its connection: ",
    link: "let the counter count",
    after: " and pull the plug.",
    text: "Count to 200.",
  },
  {
    model: "openclaw/workshop",
    before: "An agent does more than talk: ",
    link: "watch the workshop at work",
    after: ".",
    text: "How late is it, and what is 12 * 7?",
  },
] as const;

export function Welcome({ playground }: { playground: Playground }) {
  const { agents, model, status } = useStore(playground.connection);
  const description = agents.find((agent) => agent.model === model)?.description;
  const shows = SHOWS.filter((show) => agents.some((agent) => agent.model === show.model));
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
      {shows.map((show) => (
        <p key={show.model}>
          {show.before}
          <button type="button" class="link" onClick={() => ask(playground, show)}>
            {show.link}
          </button>
          {show.after}
        </p>
      ))}
      {status === "ready" && <SessionList playground={playground} />}
    </div>
  );
}

function ask({ connection, draft, send }: Playground, { model, text }: { model: string; text: string }): void {
  connection.set({ model });
  draft.set({ text });
  void send();
}
