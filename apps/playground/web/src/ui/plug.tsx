import { useEffect, useState } from "preact/hooks";
import type { Playground } from "../playground.ts";
import { useStore } from "./use-store.ts";

/** The gateway's `resumeWindowMs`, as it is by default, in seconds. */
const KEPT_FOR = 30;

export function PlugButton({ plug }: Pick<Playground, "plug">) {
  const { pulled } = useStore(plug.store);
  return pulled ? (
    <button type="button" class="primary" onClick={plug.plugIn}>
      Plug in again
    </button>
  ) : (
    <button type="button" class="plain" title="Cut this page's connection to the gateway" onClick={plug.pull}>
      Pull the plug
    </button>
  );
}

/** How long there is still somebody to come back to. Begins to count when it is shown. */
export function PlugNote() {
  const [seconds, setSeconds] = useState(0);
  useEffect(() => {
    const timer = setInterval(() => setSeconds((before) => before + 1), 1_000);
    return () => clearInterval(timer);
  }, []);
  const left = KEPT_FOR - seconds;
  return (
    <span class="unplugged">
      Unplugged. {left > 0 ? `The gateway waits ${left} s more.` : "By default the gateway has given up by now."}
    </span>
  );
}
