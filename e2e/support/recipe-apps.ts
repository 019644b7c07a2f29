// What stands around the recipes of docs/clients.md when they are run.

/**
 * A page that uses the hook, with a button for all that may happen to it.
 * @param options - Code, of its client.
 */
export const talkPage = (options: string) => `
import { createClient } from "@openclaw/client";
import { StrictMode, useState } from "react";
import { createRoot } from "react-dom/client";
import { useAnswer } from "./use-answer.tsx";

const client = createClient(${options});

function Talk() {
  const { text, isBusy, error, ask, stop } = useAnswer(client, "page");
  return <>
    {["hi", "What did I say first?", "Talk.", "Fail."].map((said) => <button key={said} onClick={() => ask(said)}>{said}</button>)}
    <button onClick={stop}>stop</button>
    <p>{isBusy ? "busy" : "done"}: {text}{error && error.name}</p>
  </>;
}

function App() {
  const [isOpen, setOpen] = useState(true);
  return <>{isOpen && <Talk />}<button onClick={() => setOpen(!isOpen)}>toggle</button></>;
}

createRoot(document.querySelector("main")).render(<StrictMode><App /></StrictMode>);`;

/** Serves a route as Next.js does, and a page that is in the file `page.html`. Prints what else is asked for. */
export const ROUTE_SERVER = `
import { existsSync, readFileSync } from "node:fs";
import { createServer } from "node:http";
import { Readable } from "node:stream";
import { text } from "node:stream/consumers";
import { POST } from "./route.ts";

const server = createServer(async (incoming, outgoing) => {
  if (incoming.url === "/" && existsSync("page.html")) {
    outgoing.writeHead(200, { "content-type": "text/html" }).end(readFileSync("page.html"));
    return;
  }
  const leaving = new AbortController();
  outgoing.once("close", () => leaving.abort());
  if (incoming.method !== "POST" || incoming.url !== "/api/v1/chat/completions") {
    console.log("not there: " + incoming.url);
    outgoing.writeHead(404).end();
    return;
  }
  const { headers, method } = incoming;
  const body = await text(incoming);
  const request = new Request("http://page.test" + incoming.url, { method, headers, body, signal: leaving.signal });
  const response = await POST(request);
  outgoing.writeHead(response.status, Object.fromEntries(response.headers));
  if (!response.body) return void outgoing.end();
  Readable.fromWeb(response.body).on("error", () => outgoing.destroy()).pipe(outgoing);
});
server.listen(0, "127.0.0.1", () => console.log("http://127.0.0.1:" + server.address().port));
`;
