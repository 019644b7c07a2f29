// What stands around the recipes of docs/clients.md when they are run.

/** A page that uses the hook, with a button for all that may happen to it. */
export const talkPage = (token: string) => `
import { createClient } from "@openclaw/client";
import { StrictMode, useState } from "react";
import { createRoot } from "react-dom/client";
import { useAnswer } from "./use-answer.tsx";

const client = createClient({ baseUrl: location.origin, token: ${JSON.stringify(token)} });

function Talk() {
  const { text, isBusy, error, ask, stop } = useAnswer(client, "page");
  return <>
    {["hi", "Talk.", "Fail."].map((said) => <button key={said} onClick={() => ask(said)}>{said}</button>)}
    <button onClick={stop}>stop</button>
    <p>{isBusy ? "busy" : "done"}: {text}{error && error.name}</p>
  </>;
}

function App() {
  const [isOpen, setOpen] = useState(true);
  return <>{isOpen && <Talk />}<button onClick={() => setOpen(!isOpen)}>toggle</button></>;
}

createRoot(document.querySelector("main")).render(<StrictMode><App /></StrictMode>);`;

/** Serves a route as Next.js does. */
export const ROUTE_SERVER = `
import { createServer } from "node:http";
import { Readable } from "node:stream";
import { text } from "node:stream/consumers";
import { POST } from "./route.ts";

const server = createServer(async (incoming, outgoing) => {
  const leaving = new AbortController();
  outgoing.once("close", () => leaving.abort());
  const body = await text(incoming);
  const request = new Request("http://page.test" + incoming.url, { method: "POST", body, signal: leaving.signal });
  const response = incoming.url === "/api/v1/chat/completions" ? await POST(request) : new Response(null, { status: 404 });
  outgoing.writeHead(response.status, Object.fromEntries(response.headers));
  Readable.fromWeb(response.body).on("error", () => outgoing.destroy()).pipe(outgoing);
});
server.listen(0, "127.0.0.1", () => console.log("http://127.0.0.1:" + server.address().port));
`;
