const SLOTS = 8192;

/**
 * One timer for all paced streams: thousands of `setTimeout`s would cost the stand-in more than its writes. A slot is a
 * millisecond; what is further away than the wheel is wide is due at its edge.
 */
export class Wheel {
  readonly #slots: (() => void)[][] = Array.from({ length: SLOTS }, () => []);
  #tick = Math.floor(performance.now());
  #waiting = 0;
  #timer: NodeJS.Timeout | undefined;

  at(millis: number, run: () => void): void {
    if (this.#waiting++ === 0) {
      this.#tick = Math.floor(performance.now());
      this.#timer = setInterval(() => this.#turn(), 1);
    }
    const due = Math.min(Math.max(Math.ceil(millis), this.#tick + 1), this.#tick + SLOTS - 1);
    this.#slots[due % SLOTS]?.push(run);
  }

  #turn(): void {
    const now = Math.floor(performance.now());
    while (this.#tick < now) {
      this.#tick++;
      const due = this.#slots[this.#tick % SLOTS] ?? [];
      if (due.length === 0) continue;
      this.#slots[this.#tick % SLOTS] = [];
      this.#waiting -= due.length;
      for (const run of due) run();
    }
    // Idle, the stand-in must not wake a thousand times a second beside what is measured.
    if (this.#waiting === 0) clearInterval(this.#timer);
  }
}
