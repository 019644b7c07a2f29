/** What becomes of a body. */
export interface BodyListener {
  /**
   * A line that is not empty, without its end.
   * @param isLonger - Whether this is only its beginning.
   */
  onLine(line: string, isLonger: boolean): void;
  /** Read to its end, or left before it. */
  onEnd(how: "end" | "left"): void;
  onError(error: unknown): void;
}

/**
 * The response as it is, with its body read at the pace of its reader and told of on its way.
 * @param maxLength - Most characters of a line that are kept.
 */
export function watch(response: Response, { onLine, onEnd, onError }: BodyListener, maxLength: number): Response {
  if (!response.body) return response;
  const reader = response.body.getReader();
  const decoder = new TextDecoder();
  let rest = "";
  let isLonger = false;
  let isLeft = false;
  const take = (text: string) => {
    const [first = "", ...lines] = text.split("\n");
    keep(first);
    for (const line of lines) {
      tellRest();
      keep(line);
    }
  };
  const keep = (piece: string) => {
    isLonger ||= rest.length + piece.length > maxLength;
    rest += piece.slice(0, maxLength - rest.length);
  };
  const tellRest = () => {
    if (rest.trim() !== "") onLine(rest.trimEnd(), isLonger);
    rest = "";
    isLonger = false;
  };
  const body = new ReadableStream<Uint8Array>(
    {
      async pull(controller) {
        try {
          const { done, value } = await reader.read();
          if (isLeft) return;
          take(decoder.decode(value, { stream: !done }));
          if (!done) return controller.enqueue(value);
          tellRest();
          onEnd("end");
          controller.close();
        } catch (error) {
          if (isLeft) return;
          tellRest();
          onError(error);
          throw error;
        }
      },
      cancel(reason) {
        isLeft = true;
        tellRest();
        onEnd("left");
        return reader.cancel(reason);
      },
    },
    { highWaterMark: 0 },
  );
  const { status, statusText, headers, url, redirected } = response;
  const watched = new Response(body, { status, statusText, headers });
  // Whoever asks for the response wants to know where it came from; a new one would not tell.
  return Object.defineProperties(watched, { url: { value: url }, redirected: { value: redirected } });
}
