/** A frame that is longer than this is shown in pieces. */
const MAX_CHARACTERS = 16_384;

export interface FrameSplitter {
  push(bytes: Uint8Array): void;
  /** What came after the last blank line: nothing, or a frame that was cut. */
  end(): void;
}

/** Cuts a stream of bytes into server-sent events as they were written, without reading them. */
export function createFrameSplitter(onFrame: (text: string) => void): FrameSplitter {
  const decoder = new TextDecoder();
  let pending = "";
  return {
    push(bytes) {
      const parts = (pending + decoder.decode(bytes, { stream: true })).split(/\r?\n\r?\n/);
      pending = parts.pop() ?? "";
      for (const part of parts) onFrame(part);
      if (pending.length <= MAX_CHARACTERS) return;
      onFrame(pending);
      pending = "";
    },
    end() {
      const rest = (pending + decoder.decode()).trimEnd();
      pending = "";
      if (rest !== "") onFrame(rest);
    },
  };
}
