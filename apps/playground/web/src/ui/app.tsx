import { useEffect, useState } from "preact/hooks";
import type { Playground } from "../playground.ts";
import { Composer } from "./composer.tsx";
import { Frames } from "./frames.tsx";
import { Gate } from "./gate.tsx";
import { Header } from "./header.tsx";
import { Readings } from "./readings.tsx";
import { RequestCode } from "./request-code.tsx";
import { Transcript } from "./transcript.tsx";
import { useStore } from "./use-store.ts";

const VIEWS = [
  { id: "talk", label: "Talk" },
  { id: "wire", label: "Wire" },
  { id: "code", label: "Code" },
] as const;

/** Talk, wire and code side by side; on a narrow screen one of them at a time. */
export function App({ playground }: { playground: Playground }) {
  const { status } = useStore(playground.connection);
  const { entries } = useStore(playground.talk.store);
  const [view, setView] = useState<(typeof VIEWS)[number]["id"]>("talk");

  useEffect(() => {
    const onKey = (event: KeyboardEvent) => {
      if (event.key === "Escape") playground.talk.stop();
    };
    addEventListener("keydown", onKey);
    return () => removeEventListener("keydown", onKey);
  }, [playground]);

  const gated = status === "locked" || status === "down";
  const empty = entries.length === 0;

  return (
    <>
      <Header playground={playground} />
      <nav class="views" aria-label="Views">
        {VIEWS.map(({ id, label }) => (
          <button key={id} type="button" aria-pressed={view === id} onClick={() => setView(id)}>
            {label}
          </button>
        ))}
      </nav>
      <main data-view={view}>
        <section class={gated && empty ? "talk locked" : "talk"} aria-label="Talk">
          {gated && empty ? null : <Transcript playground={playground} />}
          {gated ? <Gate playground={playground} /> : <Composer playground={playground} />}
        </section>
        <section class="wire" aria-label="Wire">
          <Readings talk={playground.talk} />
          <Frames frames={playground.frames} />
        </section>
        <section class="code" aria-label="Code">
          <RequestCode playground={playground} />
        </section>
      </main>
    </>
  );
}
