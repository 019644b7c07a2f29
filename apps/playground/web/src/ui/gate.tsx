import { useEffect, useRef, useState } from "preact/hooks";
import type { Playground } from "../playground.ts";
import { ProblemCard } from "./problem-card.tsx";
import { useStore } from "./use-store.ts";

/** In the composer's place while the gateway cannot be asked: what is missing, and where it is. */
export function Gate({ playground }: { playground: Playground }) {
  const { status, problem, hasToken } = useStore(playground.connection);
  if (status === "down") {
    return (
      <div class="gate">
        {problem && <ProblemCard problem={problem} />}
        <button type="button" class="primary" onClick={() => void playground.reconnect()}>
          Try again
        </button>
      </div>
    );
  }
  return (
    <div class="gate">
      {hasToken && problem ? <ProblemCard problem={problem} /> : <h2>This gateway wants a token.</h2>}
      <TokenForm onToken={(token) => void playground.connect(token)} />
    </div>
  );
}

function TokenForm({ onToken }: { onToken: (token: string) => void }) {
  const [token, setToken] = useState("");
  const field = useRef<HTMLInputElement>(null);
  useEffect(() => field.current?.focus(), []);
  const submit = (event: Event) => {
    event.preventDefault();
    if (token.trim() !== "") onToken(token.trim());
  };
  return (
    <form onSubmit={submit}>
      <label for="token">Token</label>
      <p id="token-help">
        Where the gateway was started it printed this page's address with the token in it, or the file that holds the
        token: by default <code>~/.openclaw/gateway-token</code>. A gateway with a password takes that instead. What you
        enter stays in this tab.
      </p>
      <div class="row">
        <input
          id="token"
          ref={field}
          type="password"
          autocomplete="off"
          spellcheck={false}
          aria-describedby="token-help"
          value={token}
          onInput={(event) => setToken(event.currentTarget.value)}
        />
        <button type="submit" class="primary">
          Connect
        </button>
      </div>
    </form>
  );
}
