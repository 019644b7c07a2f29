type Line = { level?: number; msg?: string; runId?: string; requestId?: string; ended?: string; status?: number };

/** pino's number of `error`. */
const ERROR = 50;

/** What the gateway wrote to standard error: which runs and requests it told of, and what should not be there. */
export class LogBook {
  /** How each run ended, by its id. */
  readonly runs = new Map<string, string>();
  readonly requests = new Set<string>();
  /** Lines by their message. */
  readonly counts = new Map<string, number>();
  /** Lines that no healthy gateway writes. */
  readonly alarms: string[] = [];
  #rest = "";

  add(text: string): void {
    const lines = (this.#rest + text).split("\n");
    this.#rest = lines.pop() ?? "";
    for (const line of lines) this.#read(line);
  }

  #read(text: string): void {
    if (text.trim() === "") return;
    let line: Line;
    try {
      line = JSON.parse(text) as Line;
    } catch {
      // A stack of something that nobody caught, a warning of Node's.
      this.alarms.push(text);
      return;
    }
    const { level = 0, msg = "", runId, requestId, ended } = line;
    this.counts.set(msg, (this.counts.get(msg) ?? 0) + 1);
    if (requestId !== undefined) this.requests.add(requestId);
    if (runId !== undefined && ended !== undefined) this.runs.set(runId, ended);
    // The soak writes broken configs on purpose.
    if (msg === "bug" || (level >= ERROR && !/config/i.test(text))) this.alarms.push(text);
  }
}
