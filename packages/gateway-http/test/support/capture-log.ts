import { vi } from "vitest";

export interface CapturedLog {
  /** As it was written, every byte. */
  text(): string;
  /** The lines, of JSON. */
  lines(): Record<string, unknown>[];
  /** The next line that has this message, or one that is there already. */
  line(message: string, matches?: (line: Record<string, unknown>) => boolean): Promise<Record<string, unknown>>;
}

/** Takes what is written to standard error from here on, for as long as the test. */
export function captureLog(): CapturedLog {
  let text = "";
  const looks = new Set<() => void>();
  vi.spyOn(process.stderr, "write").mockImplementation((data: string | Uint8Array) => {
    text += typeof data === "string" ? data : Buffer.from(data).toString("utf8");
    for (const look of looks) look();
    return true;
  });
  const lines = () =>
    text
      .split("\n")
      .slice(0, -1)
      .map((line) => JSON.parse(line) as Record<string, unknown>);
  return {
    text: () => text,
    lines,
    line: (message, matches = () => true) =>
      new Promise((resolve) => {
        const look = () => {
          const found = lines().find((line) => line.msg === message && matches(line));
          if (!found) return;
          looks.delete(look);
          resolve(found);
        };
        looks.add(look);
        look();
      }),
  };
}
