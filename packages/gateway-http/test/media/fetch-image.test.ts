import type { IncomingMessage, ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { setImmediate as nextLoop } from "node:timers/promises";
import { createServer } from "node:tls";
import { expect, onTestFinished, test, vi } from "vitest";
import { inlineRemote } from "../../src/media/inline-remote.ts";
import { isPublicAddress } from "../../src/media/public-address.ts";
import type { ResolveHost } from "../../src/media/resolve-host.ts";
import { takeIn } from "../../src/media/take-in.ts";
import { dataUrl, fileOf, image, refusal, settings, startServer, user } from "./fixtures.ts";

type Answer = (request: IncomingMessage, response: ServerResponse) => void;

/** This machine passes for a host of the internet; every other address is what it is. */
const isPublic = (address: string) => address === "127.0.0.1" || isPublicAddress(address);
const here: ResolveHost = async () => ["127.0.0.1"];
const BYTES = fileOf("png", 200);
const AT = "invalid_value messages[0].content[0].image_url.url";

/** A server that answers each path as told, and the fetching of URLs whose host is `pictures.test` at its port. */
async function start(answers: Record<string, Answer>, given: Parameters<typeof settings>[0] = {}) {
  const requests: IncomingMessage[] = [];
  const { port } = await startServer((request, response) => {
    requests.push(request);
    answers[request.url ?? ""]?.(request, response);
  });
  const images = settings({ allowUrl: true, ...(given as object) });
  const receiver = { id: "main", input: ["text", "image"] as const };
  const get = async (path: string, resolve = here, signal = new AbortController().signal) => {
    const url = /^https?:/.test(path) ? path : `http://pictures.test:${port}${path}`;
    const taken = takeIn([user(image(url, { detail: "low" }))], receiver, images);
    const [message] = await inlineRemote(taken, { images, signal, resolve, isPublic });
    return message;
  };
  return { port, requests, images, receiver, get };
}

const send =
  (bytes: Buffer | string, headers = {}): Answer =>
  (_, response) =>
    response.writeHead(200, headers).end(bytes);
const redirect =
  (location: string, status = 302): Answer =>
  (_, response) =>
    response.writeHead(status, { location }).end("<html>");

test("an image is fetched and put in the place of its URL, with the type that it is", async () => {
  const { get, requests, port } = await start({ "/a.png?x=1": send(BYTES, { "content-type": "text/html" }) });
  expect(await get("/a.png?x=1#part")).toEqual(user(image(dataUrl(BYTES), { detail: "low" })));
  const { host, accept, cookie, authorization, referer } = requests[0]?.headers ?? {};
  expect([host, cookie, authorization, referer]).toEqual([`pictures.test:${port}`, undefined, undefined, undefined]);
  expect(accept).toBe("image/png, image/jpeg, image/gif, image/webp");
  expect(requests[0]?.headers["accept-encoding"]).toBe("identity");
});

test("the connection goes to what was resolved and checked, whatever the name means by then", async () => {
  const { get, requests } = await start({ "/a.png": send(BYTES) });
  const asked: string[] = [];
  // Nobody but the one who checks ever asks: `pictures.test` is in no DNS.
  const rebinding: ResolveHost = async (host) => {
    asked.push(host);
    return asked.length === 1 ? ["127.0.0.1"] : ["10.0.0.1"];
  };
  await get("/a.png", rebinding);
  expect([asked, requests.length]).toEqual([["pictures.test"], 1]);
  expect(await refusal(() => get("/a.png", rebinding))).toBe(`${AT} its host has no public address.`);
  expect(requests).toHaveLength(1);
});

test("over TLS the name is told, whichever address the connection goes to", async () => {
  const names: string[] = [];
  const server = createServer({
    SNICallback(name, done) {
      names.push(name);
      done(new Error("no certificate"));
    },
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  onTestFinished(() => void server.close());
  const { get } = await start({});
  const url = `https://pictures.test:${(server.address() as AddressInfo).port}/a.png`;
  expect(await refusal(() => get(url))).toBe(`${AT} its server cannot be reached, or broke off.`);
  expect(names).toEqual(["pictures.test"]);
});

test("a host is refused when any of its addresses is private, or it has none, in the same words", async () => {
  const { get, requests } = await start({ "/a.png": send(BYTES) });
  const answers = [["127.0.0.1", "10.0.0.1"], ["169.254.169.254"], ["127.0.0.1", "fd00:ec2::254"], ["100.64.0.1"], []];
  for (const addresses of answers) {
    expect(await refusal(() => get("/a.png", async () => addresses))).toBe(`${AT} its host has no public address.`);
  }
  expect(requests).toEqual([]);
});

test("redirects are followed, each checked anew, as often as maxRedirects", async () => {
  const answers = {
    "/1": redirect("/2", 301),
    "/2": redirect("//pictures.test:PORT/3", 307),
    "/3": redirect("/a.png", 308),
    "/0": redirect("/1", 303),
    "/a.png": send(BYTES),
  };
  const { get, port } = await start(answers);
  answers["/2"] = redirect(`//other.test:${port}/3`, 307);
  const hosts: string[] = [];
  const resolve: ResolveHost = async (host) => {
    hosts.push(host);
    return ["127.0.0.1"];
  };
  expect(await get("/1", resolve)).toBeDefined();
  expect(hosts).toEqual(["pictures.test", "pictures.test", "other.test", "other.test"]);
  expect(await refusal(() => get("/0"))).toBe(`${AT} redirects more than 3 times.`);
});

test("a redirect leads nowhere that a URL may not", async () => {
  const places = {
    "http://169.254.169.254/latest/": "its host has no public address",
    "http://[::ffff:10.0.0.1]/": "its host has no public address",
    "http://2130706434/": "its host has no public address",
    "http://inside.test/": "its host has no public address",
    "file:///etc/passwd": "redirects to a URL that is not http: or https:",
    "data:image/png;base64,AAAA": "redirects to a URL that is not http: or https:",
    "http://a:b@pictures.test/": "a URL must not hold credentials",
    "http://": "redirects to no URL",
  };
  const resolve: ResolveHost = async (host) => (host === "inside.test" ? ["192.168.0.7"] : ["127.0.0.1"]);
  for (const [place, reason] of Object.entries(places)) {
    const { get } = await start({ "/a": redirect(place) });
    expect(await refusal(() => get("/a", resolve)), place).toBe(`${AT} ${reason}.`);
  }
  const { get } = await start({ "/a": redirect("http://evil.test/") }, { urlAllowlist: ["pictures.test"] });
  expect(await refusal(() => get("/a"))).toBe(`${AT} images of this host are not fetched here.`);
});

test("what drips or says nothing is left after timeoutMs, redirects and all", async () => {
  let closed = 0;
  let drops = 0;
  const count: Answer = (_, response) => void response.once("close", () => closed++);
  const answers: Record<string, Answer> = {
    "/silent": count,
    "/drip": (request, response) => {
      count(request, response);
      const timer = setInterval(() => response.write("\x89", () => drops++), 5);
      response.once("close", () => clearInterval(timer));
    },
    "/circle": redirect("/circle"),
  };
  const { get, requests } = await start(answers, { timeoutMs: 100, maxRedirects: 20 });
  // The time is over once the server was asked, and not before: there would be nothing to close. `expect.poll` would let
  // it go on.
  vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout"] });
  onTestFinished(() => void vi.useRealTimers());
  const late = `${AT} fetching images took longer than 100 ms.`;
  for (const path of ["/silent", "/drip"]) {
    const asked = requests.length;
    const refused = refusal(() => get(path));
    while (requests.length === asked) await nextLoop();
    for (let ms = 0; ms < 100; ms += 20) {
      const before = drops;
      while (path === "/drip" && drops === before) await nextLoop();
      vi.advanceTimersByTime(20);
    }
    expect(await refused).toBe(late);
  }
  while (closed < 2) await nextLoop();
  const never: ResolveHost = (_, { signal }) =>
    new Promise((resolve) => signal.addEventListener("abort", () => resolve([])));
  const refused = refusal(() => get("/silent", never));
  vi.advanceTimersByTime(100);
  expect(await refused).toBe(late);
});

test("what is larger than maxBytes is cut, whether or not it says so", async () => {
  let closed = false;
  const endless: Answer = (_, response) => {
    const more = () => {
      while (!response.destroyed && response.write(BYTES));
    };
    response.on("drain", more).once("close", () => {
      closed = true;
    });
    more();
  };
  const answers = {
    "/fits": send(BYTES),
    "/long": send(Buffer.concat([BYTES, Buffer.from([0])])),
    "/endless": endless,
  };
  const { get } = await start(answers, { maxBytes: BYTES.length });
  expect(await get("/fits")).toBeDefined();
  for (const path of ["/long", "/endless"]) {
    expect(await refusal(() => get(path))).toBe(`${AT} is larger than 200 bytes.`);
  }
  await expect.poll(() => closed).toBe(true);
});

test("anything but a whole image is refused, and nothing of it told", async () => {
  const { get } = await start({
    "/html": send("<html>secret</html>", { "content-type": "image/png" }),
    "/empty": send(""),
    "/missing": (_, response) => response.writeHead(404).end("secret"),
    "/none": (_, response) => response.writeHead(204).end(),
    "/gzip": send(BYTES, { "content-encoding": "gzip" }),
    "/lost": (_, response) => response.writeHead(302).end(),
    "/short": (_, response) =>
      void response.writeHead(200, { "content-length": 500 }).write(BYTES, () => response.destroy()),
    "/reset": (request) => request.socket.destroy(),
    "/bmp": send(fileOf("bmp", 64)),
  });
  const said: Record<string, string> = {};
  for (const path of ["/html", "/empty", "/missing", "/none", "/gzip", "/lost", "/short", "/reset", "/bmp"]) {
    said[path] = (await refusal(() => get(path))).replace(`${AT} `, "");
  }
  expect(said).toEqual({
    "/html": "is no image of a type that is known here (image/png, image/jpeg, image/gif, image/webp).",
    "/empty": "is no image of a type that is known here (image/png, image/jpeg, image/gif, image/webp).",
    "/missing": "its server answered 404.",
    "/none": "its server answered 204.",
    "/gzip": "its server compressed it.",
    "/lost": "its server answered 302.",
    "/short": "its server cannot be reached, or broke off.",
    "/reset": "its server cannot be reached, or broke off.",
    "/bmp": "is image/bmp; taken in are image/png, image/jpeg, image/gif, image/webp.",
  });
});

test("a URL that stands in several places is fetched once, and all others in their places", async () => {
  const red = fileOf("png", 100, 1);
  const blue = fileOf("gif", 100, 2);
  const { requests, images, receiver, port } = await start({ "/red": send(red), "/blue": send(blue) });
  const at = (path: string) => image(`http://pictures.test:${port}${path}`);
  const text = { type: "text" as const, text: "x" };
  const said = [user(at("/red"), text, at("/blue")), { role: "assistant" as const, content: "y" }, user(at("/red"))];
  const options = { images, signal: new AbortController().signal, resolve: here, isPublic };
  const inline = await inlineRemote(takeIn(said, receiver, images), options);
  const [first, second] = [image(dataUrl(red)), image(dataUrl(blue, "image/gif"))];
  expect(inline).toEqual([user(first, text, second), said[1], user(first)]);
  expect(requests.map(({ url }) => url).sort()).toEqual(["/blue", "/red"]);
});

test("one image that cannot be had ends the fetching of all", async () => {
  let closed = 0;
  const silent: Answer = (_, response) => void response.once("close", () => closed++);
  // Not before the others were asked for: what was not asked for is not closed.
  const last: Answer = (request, response) =>
    void vi.waitFor(() => expect(requests).toHaveLength(3), 10_000).then(() => send("no image")(request, response));
  const { images, receiver, port, requests } = await start({ "/a": silent, "/b": silent, "/c": last });
  const said = [user(...["/a", "/b", "/c"].map((path) => image(`http://pictures.test:${port}${path}`)))];
  const options = { images, signal: new AbortController().signal, resolve: here, isPublic };
  expect(await refusal(() => inlineRemote(takeIn(said, receiver, images), options))).toMatch(
    "content[2].image_url.url is no",
  );
  await expect.poll(() => closed).toBe(2);
});

test("images from URLs count with the others: 20 MiB together in the last user message, 24 MiB in all", async () => {
  const large = fileOf("png", 7 * 1024 * 1024);
  const { images, receiver, port } = await start({
    "/1": send(large),
    "/2": send(large),
    "/3": send(large),
    "/4": send(large),
  });
  const options = { images, signal: new AbortController().signal, resolve: here, isPublic };
  const [one, two, three, four] = [1, 2, 3, 4].map((n) => image(`http://pictures.test:${port}/${n}`)) as [
    never,
    never,
    never,
    never,
  ];
  const text = user({ type: "text", text: "x" });
  const run = (...said: ReturnType<typeof user>[]) => inlineRemote(takeIn(said, receiver, images), options);
  expect(await run(user(one, two, three), text)).toHaveLength(2);
  expect(await refusal(() => run(user(one, two, three)))).toBe(
    "invalid_value messages[0].content its images are larger than 20 MiB together.",
  );
  // However few URLs there are: each place will be written out.
  expect(await refusal(() => run(user(one, one, one, one), text))).toMatch("larger than 24 MiB together");
  expect(await refusal(() => run(user(one, two, three, four), text))).toMatch(
    "images from URLs are larger than 24 MiB together",
  );
});

test("whoever leaves is fetched no more", async () => {
  const closed = Promise.withResolvers<void>();
  const leaving = new AbortController();
  const reason = new Error("gone");
  const { get } = await start({
    "/silent": (_, response) => {
      response.once("close", closed.resolve);
      leaving.abort(reason);
    },
  });
  await expect(get("/silent", here, leaving.signal)).rejects.toBe(reason);
  await closed.promise;
});
