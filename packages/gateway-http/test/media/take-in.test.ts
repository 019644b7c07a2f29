import type { Message, UserPart } from "@openclaw/protocol";
import { expect, test } from "vitest";
import { MODALITIES } from "../../src/chat/modality.ts";
import { takeIn } from "../../src/media/take-in.ts";
import { dataUrl, fileOf, image, MIB, PNG, refusal, settings, user } from "./fixtures.ts";

const EVERYTHING = { id: "main", input: MODALITIES };
const take = (messages: ReturnType<typeof user>[], images = settings(), receiver: object = EVERYTHING) =>
  takeIn(messages, receiver as typeof EVERYTHING, images);
const takePart = (part: UserPart, images = settings()) => {
  const [message] = take([user(part)], images).messages;
  return (message as Extract<Message, { role: "user" }>).content[0];
};
const refused = (part: UserPart, images = settings()) => refusal(() => takePart(part, images));

const AT = "messages[0].content[0]";
const URL_AT = `${AT}.image_url.url`;
const file = (given: object): UserPart => ({ type: "file", file: given });
const sound = (data: string, format: string): UserPart => ({ type: "input_audio", input_audio: { data, format } });

test("an image that is what it says stays as it is", () => {
  for (const kind of ["png", "jpeg", "gif", "webp"] as const) {
    const part = image(dataUrl(fileOf(kind), `image/${kind}`), { detail: "low" });
    expect(takePart(part)).toEqual(part);
  }
  expect(takePart(image(PNG, { detail: null }))).toEqual(image(PNG));
});

test("an image that says to be another type is told as what it is", () => {
  const bytes = fileOf("jpeg", 64);
  const right = image(dataUrl(bytes, "image/jpeg"));
  for (const type of ["image/png", "image/jpg", "IMAGE/JPEG", "application/octet-stream", "text/html", ""]) {
    expect(takePart(image(dataUrl(bytes, type))), type).toEqual(right);
  }
  expect(takePart(image(dataUrl(bytes, "image/jpeg;name=a.jpg").replace("data:", "DATA:")))).toEqual(right);
});

test("what is no image is refused, whatever it says", async () => {
  for (const kind of ["html", "pdf", "wav", "mp3"] as const) {
    expect(await refused(image(dataUrl(fileOf(kind, 64))))).toMatch(`invalid_value ${URL_AT} is no image of a type`);
  }
  const svg = Buffer.from('<svg xmlns="http://www.w3.org/2000/svg"/>');
  expect(await refused(image(dataUrl(svg, "image/svg+xml")))).toMatch("is no image");
});

test("types beyond the usual four are taken in when they are allowed", async () => {
  for (const kind of ["bmp", "heic", "avif", "tiff"] as const) {
    const part = image(dataUrl(fileOf(kind), `image/${kind}`));
    expect(await refused(part)).toMatch(`is image/${kind}; taken in are image/png, image/jpeg, image/gif, image/webp`);
    expect(takePart(part, settings({ allowedMimes: [`image/${kind}`] }))).toEqual(part);
  }
  expect(await refused(image(PNG), settings({ allowedMimes: ["image/gif"] }))).toMatch("is image/png");
});

test("broken and empty data: URLs are refused by name", async () => {
  const head = "data:image/png;base64,";
  for (const url of [
    head,
    `${head}====`,
    `${head}iVBORw0KGgo`,
    `${head}iVBO Rw0=`,
    `${head}iVBORw0KGgo%3D`,
    `${head}ŁŁŁŁ`,
  ]) {
    expect(await refused(image(url)), url).toBe(`invalid_value ${URL_AT} is not base64.`);
  }
  for (const url of ["data:image/png,abc", "data:image/png", `data:${"x".repeat(300)};base64,AAAA`]) {
    expect(await refused(image(url)), url).toBe(`invalid_value ${URL_AT} a data: URL must be in base64.`);
  }
});

test("an image may have maxBytes, counted after decoding, and not one more, in any message", async () => {
  for (const size of [1000, 1001, 1002, 1003]) {
    const images = settings({ maxBytes: size });
    expect(takePart(image(dataUrl(fileOf("png", size))), images)).toBeDefined();
    expect(await refused(image(dataUrl(fileOf("png", size + 1))), images)).toBe(
      `invalid_value ${URL_AT} is larger than ${size} bytes.`,
    );
  }
  const early = [user(image(dataUrl(fileOf("png", 10 * MIB + 1)))), user({ type: "text", text: "hi" })];
  expect(await refusal(() => take(early))).toBe(`invalid_value ${URL_AT} is larger than 10 MiB.`);
});

test("the last user message has 8 images at most, others have more", async () => {
  const eight = Array.from({ length: 8 }, () => image(PNG));
  const nine = [...eight, image(PNG)];
  const hi = user({ type: "text", text: "hi" });
  expect(take([user(...eight)]).messages).toHaveLength(1);
  expect(take([user(...nine), hi]).messages).toHaveLength(2);
  expect(await refusal(() => take([hi, user(...nine), { role: "assistant", content: "x" }]))).toBe(
    "invalid_value messages[1].content has more than 8 images.",
  );
});

test("the images of the last user message have 20 MiB together, and not one byte more", async () => {
  const images = (last: number) => [
    image(dataUrl(fileOf("png", 10 * MIB))),
    image(dataUrl(fileOf("png", 9 * MIB))),
    image(dataUrl(fileOf("png", last))),
  ];
  expect(take([user(...images(MIB))]).messages).toHaveLength(1);
  expect(await refusal(() => take([user(...images(MIB + 1))]))).toBe(
    "invalid_value messages[0].content its images are larger than 20 MiB together.",
  );
});

test("sound is wav or mp3, is what it says, and has 20 MiB at most", async () => {
  for (const format of ["wav", "mp3"] as const) {
    const part = sound(fileOf(format, 20 * MIB).toString("base64"), format);
    expect(takePart(part)).toBe(part);
    const large = sound(fileOf(format, 20 * MIB + 1).toString("base64"), format);
    expect(await refused(large)).toBe(`invalid_value ${AT}.input_audio.data is larger than 20 MiB.`);
    const other = sound(fileOf("png", 64).toString("base64"), format);
    expect(await refused(other)).toBe(`invalid_value ${AT}.input_audio.data is no ${format}.`);
  }
  const frame = Buffer.from("fffb90640000000000", "hex").toString("base64");
  expect(takePart(sound(frame, "mp3"))).toBeDefined();
  expect(await refused(sound("AAAA", "flac"))).toBe(`invalid_value ${AT}.input_audio.format must be one of wav, mp3.`);
  expect(await refused(sound("", "wav"))).toBe(`invalid_value ${AT}.input_audio.data is not base64.`);
  expect(await refused(sound("$$$$", "wav"))).toBe(`invalid_value ${AT}.input_audio.data is not base64.`);
});

test("a file is a PDF or text, inline, of 20 MiB at most", async () => {
  const pdf = fileOf("pdf", 20 * MIB);
  const good = file({ file_data: dataUrl(pdf, "application/pdf"), filename: "a.pdf" });
  expect(takePart(good)).toEqual(good);
  expect(
    takePart(file({ file_data: dataUrl(pdf, "application/octet-stream"), file_id: null, filename: null })),
  ).toEqual(file({ file_data: dataUrl(pdf, "application/pdf") }));
  const text = file({ file_data: dataUrl(Buffer.from("a,b\n1,2\n"), "text/csv;charset=utf-8") });
  expect(takePart(text)).toEqual(text);
  const at = `invalid_value ${AT}.file.file_data`;
  const tooLarge = dataUrl(fileOf("pdf", 20 * MIB + 1), "application/pdf");
  expect(await refused(file({ file_data: tooLarge }))).toBe(`${at} is larger than 20 MiB.`);
  const wrong = [
    dataUrl(fileOf("png", 64), "application/pdf"),
    dataUrl(fileOf("png", 64), "text/plain"),
    dataUrl(Buffer.from("PK\x03\x04"), "application/zip"),
  ];
  for (const url of wrong) expect(await refused(file({ file_data: url }))).toMatch(`${at} must be application/pdf or`);
  for (const url of ["AAAA", "https://a.b/c.pdf", "", null]) {
    expect(await refused(file({ file_data: url }))).toBe(`${at} must be a data: URL in base64.`);
  }
  expect(await refused(file({ file_id: "file-1" }))).toMatch(`unsupported_parameter ${AT}.file.file_id not supported`);
});

test("what the agent does not take in is refused by name", async () => {
  const receiver = { id: "poet", input: ["text", "image"] };
  const content: UserPart[] = [{ type: "text", text: "x" }, image(PNG), sound("AAAA", "wav")];
  expect(await refusal(() => take([user(...content)], settings(), receiver))).toBe(
    'unsupported_parameter messages[0].content[2].type the agent "poet" takes in no audio, only text, image.',
  );
});

test("messages without any of this are passed as they are", () => {
  const messages = [user({ type: "text", text: "x" }), { role: "system" as const, content: "y" }];
  expect(take(messages)).toEqual({ messages, remote: [] });
});

test("URLs are refused while they are off, and at most 32 are fetched", async () => {
  expect(await refused(image("https://example.com/a.png"))).toMatch(
    `invalid_value ${URL_AT} URLs are not fetched here`,
  );
  const images = settings({ allowUrl: true });
  const urls = (count: number) => [
    user(
      ...Array.from({ length: count }, (_, index) => image(`https://example.com/${index}`)),
      image("https://example.com/0"),
    ),
    user({ type: "text", text: "x" }),
  ];
  expect(take(urls(32), images).remote).toHaveLength(33);
  expect(await refusal(() => take(urls(33), images))).toMatch(
    "messages[0].content[32].image_url.url more than 32 URLs are not fetched",
  );
});

test("every way to write an address inside is seen through", async () => {
  const images = settings({ allowUrl: true });
  const inside = [
    "http://127.0.0.1/a.png",
    "http://2130706433/",
    "http://0177.0.0.1/",
    "http://017700000001/",
    "http://0x7f000001/",
    "http://127.1/",
    "http://127。0。0。1/",
    "http://%31%32%37.0.0.1/",
    "http://[::1]/",
    "http://[::ffff:127.0.0.1]/",
    "http://[::ffff:a9fe:a9fe]/",
    "http://169.254.169.254/latest/meta-data/",
    "http://[fd00:ec2::254]/",
    "http://127.0.0.1./",
    "http:\\\\10.0.0.1\\a",
    "https://192.168.0.1:8443/",
  ];
  for (const url of inside) expect(await refused(image(url), images), url).toMatch("its host has no public address");
  for (const url of [
    "file:///etc/passwd",
    "ftp://example.com/a.png",
    "javascript:1",
    "blob:https://a.b/c",
    " data:,x",
  ]) {
    expect(await refused(image(url), images), url).toMatch("is a URL that is not http: or https:");
  }
  for (const url of ["//example.com/a.png", "/a.png", "a.png", "", "http://", "https://999.1.1.1/", "https://a b/"]) {
    expect(await refused(image(url), images), url).toMatch("must be a data: or an https: URL");
  }
  for (const url of ["https://user:pass@example.com/", "https://user@example.com/", "https://:p@example.com/"]) {
    expect(await refused(image(url), images), url).toMatch("must not hold credentials");
  }
  expect(await refused(image("https://example.com:0/"), images)).toMatch("port 0 is none");
  expect(await refused(image(`https://example.com/${"a".repeat(8192)}`), images)).toMatch("must be a data:");
});

test("with an allowlist only its hosts are fetched", async () => {
  const images = settings({ allowUrl: true, urlAllowlist: ["Example.com", "*.example.org"] });
  for (const host of ["example.com", "EXAMPLE.com.", "a.example.org", "a.b.example.org:444"]) {
    expect(take([user(image(`https://${host}/a`))], images).remote, host).toHaveLength(1);
  }
  for (const host of ["a.example.com", "example.org", "badexample.org", "example.com.evil.net", "8.8.8.8"]) {
    expect(await refused(image(`https://${host}/a`), images), host).toMatch("images of this host are not fetched");
  }
});

test("taking in 20 MiB copies little of it", () => {
  const part = image(dataUrl(fileOf("png", 10 * MIB)));
  const before = process.memoryUsage().arrayBuffers;
  take([user(part, part)]);
  expect(process.memoryUsage().arrayBuffers - before).toBeLessThan(MIB);
});
