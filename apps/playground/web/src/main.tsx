import { render } from "preact";
import { createPlayground } from "./playground.ts";
import { keepToken, takeToken } from "./token.ts";
import { App } from "./ui/app.tsx";

const playground = createPlayground({
  baseUrl: location.origin,
  keepToken: (token) => keepToken(sessionStorage, token),
});

function connectFromAddress(): void {
  void playground.connect(takeToken(location, history, sessionStorage));
}

connectFromAddress();
// The printed address, pasted into a tab that has the page open already.
addEventListener("hashchange", () => {
  if (location.hash.startsWith("#token=")) connectFromAddress();
});

render(<App playground={playground} />, document.getElementById("app") as HTMLElement);
