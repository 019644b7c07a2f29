/**
 * Microseconds on the machine's monotonic clock. Unlike `performance.timeOrigin` it is the same clock in every process,
 * so a time taken in the stand-in can be subtracted in the load client.
 */
export function microsNow(): number {
  return origin + performance.now() * 1000;
}

// The first look at `performance` loads it, which takes milliseconds: not between the two readings.
performance.now();
const origin = Number(process.hrtime.bigint() / 1000n) - performance.now() * 1000;

/** Digits of a stamp. The clock wraps every 10^10 µs (2.8 hours), far above any transit. */
export const STAMP_DIGITS = 10;
const WRAP = 10 ** STAMP_DIGITS;

/** Microseconds from the stamp to now, across the wrap. */
export function microsSince(stamp: number, now: number): number {
  return (now - stamp + WRAP) % WRAP;
}

/** Writes the stamp of `micros` as ASCII digits: fixed width, so that it fits a hole in a prepared frame. */
export function writeStamp(into: Buffer, offset: number, micros: number): void {
  let rest = Math.floor(micros) % WRAP;
  for (let at = offset + STAMP_DIGITS - 1; at >= offset; at--) {
    const tenth = Math.floor(rest / 10);
    into[at] = 48 + rest - tenth * 10;
    rest = tenth;
  }
}
