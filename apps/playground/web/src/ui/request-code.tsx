import { useState } from "preact/hooks";
import type { Playground } from "../playground.ts";
import { type Snippet, toSnippets } from "../request/snippets.ts";
import { CopyButton } from "./copy-button.tsx";
import { useStore } from "./use-store.ts";

/** What Send would send, or what was sent last, as code to take away. */
export function RequestCode({ playground: { baseUrl, connection, draft, talk } }: { playground: Playground }) {
  const { model, hasToken, status } = useStore(connection);
  const { sessionKey, entries } = useStore(talk.store);
  const typed = useStore(draft).text.trim();
  const last = entries.findLast((entry) => entry.kind === "said" && !entry.isElsewhere);
  const said = last?.kind === "said" ? last.text : "";
  const [shown, setShown] = useState<Snippet["id"]>("curl");

  const needsToken = hasToken || status === "locked";
  const snippets = toSnippets({ baseUrl, model, sessionKey, text: typed || said || "hi", needsToken });
  const snippet = snippets.find(({ id }) => id === shown) as Snippet;
  const move = (event: KeyboardEvent) => {
    const step = { ArrowRight: 1, ArrowLeft: -1 }[event.key];
    if (step === undefined) return;
    const next = snippets.at((snippets.indexOf(snippet) + step) % snippets.length) as Snippet;
    setShown(next.id);
    document.getElementById(`tab-${next.id}`)?.focus();
  };

  return (
    <div class="snippets">
      <div class="bar">
        <div class="tabs" role="tablist" aria-label="The request as code" onKeyDown={move}>
          {snippets.map(({ id, label }) => (
            <button
              key={id}
              id={`tab-${id}`}
              type="button"
              role="tab"
              aria-selected={id === shown}
              aria-controls="snippet"
              tabIndex={id === shown ? 0 : -1}
              onClick={() => setShown(id)}
            >
              {label}
            </button>
          ))}
        </div>
        <CopyButton text={snippet.code} label={`Copy the ${snippet.label} code`} />
      </div>
      {/* biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls must be reachable by keyboard. */}
      <pre id="snippet" role="tabpanel" aria-labelledby={`tab-${shown}`} tabIndex={0}>
        <code>{snippet.code}</code>
      </pre>
    </div>
  );
}
