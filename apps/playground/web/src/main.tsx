import { render } from "preact";
import { sessionInAddress, toAddress } from "./address.ts";
import { createPlayground } from "./playground.ts";
import { keepToken, takeToken } from "./token.ts";
import { App } from "./ui/app.tsx";

const playground = createPlayground({
  baseUrl: location.origin,
  keepToken: (token) => keepToken(sessionStorage, token),
  keepSession: (sessionId) => history.replaceState(null, "", toAddress(location, sessionId)),
});

function openFromAddress(): void {
  const sessionId = sessionInAddress(location);
  if (sessionId !== undefined) void playground.openKey(sessionId);
}

function connectFromAddress(): void {
  void playground.connect(takeToken(location, history, sessionStorage));
}

openFromAddress();
connectFromAddress();
// The printed address, or that of a session, pasted into a tab that has the page open already.
addEventListener("hashchange", () => {
  if (location.hash.startsWith("#token=")) connectFromAddress();
  openFromAddress();
});

render(<App playground={playground} />, document.getElementById("app") as HTMLElement);
