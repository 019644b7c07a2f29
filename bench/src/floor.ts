/**
 * The floor `pipe-fastify`: Fastify and undici handing the bytes of this route on, with none of a gateway's duties (no
 * auth, no validation, body forwarded as it came). What a gateway costs above it is what its duties cost.
 *
 * Both by their shortest way, `dispatch` and the raw response: through `request()` and `reply.send(stream)` a JSON
 * request costs five times as much, and a floor must not be something that a gateway can stand below.
 */
import type { ServerResponse } from "node:http";
import fastify from "fastify";
import { type Dispatcher, Pool } from "undici";

const [port, standInPort] = process.argv.slice(2);
const provider = new Pool(`http://127.0.0.1:${standInPort}`);
const app = fastify();

app.addContentTypeParser("application/json", { parseAs: "buffer" }, (_request, body, done) => done(null, body));
app.get("/readyz", () => "ok");
app.post("/v1/chat/completions", (request, reply) => {
  reply.hijack();
  provider.dispatch(
    {
      path: "/v1/chat/completions",
      method: "POST",
      headers: { "content-type": "application/json", authorization: "Bearer bench-provider-key" },
      body: request.body as Buffer,
    },
    toPipe(reply.raw),
  );
});

/** One write for each read, the reading held up by a full socket, and the call ended when the client has gone. */
function toPipe(response: ServerResponse): Dispatcher.DispatchHandler {
  return {
    onRequestStart(controller) {
      response.on("drain", () => controller.resume());
      response.on("close", () => {
        if (!response.writableFinished) controller.abort(new Error("the client has gone"));
      });
    },
    onResponseStart(_controller, status, headers) {
      const { "content-type": type = "text/plain", "content-length": length } = headers;
      response.setHeader("content-type", type);
      if (length !== undefined) response.setHeader("content-length", length);
      response.writeHead(status);
    },
    onResponseData(controller, bytes) {
      if (!response.write(bytes)) controller.pause();
    },
    onResponseEnd() {
      response.end();
    },
    onResponseError() {
      response.destroy();
    },
  };
}

await app.listen({ port: Number(port), host: "127.0.0.1" });
// The channel closes when the bench dies, however it dies.
process.on("disconnect", () => process.exit());
