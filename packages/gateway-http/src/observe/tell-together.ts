/**
 * Tells of the first at once and of those that follow together, a while later: a flood must not fill a disk.
 * @param tell gets how many there were
 * @param everyMs milliseconds between two calls of it
 */
export function createTogetherTeller(tell: (count: number) => void, everyMs: number): () => void {
  let count = 0;
  let timer: NodeJS.Timeout | undefined;

  function flush(): void {
    timer = undefined;
    if (count === 0) return;
    tell(count);
    count = 0;
    timer = setTimeout(flush, everyMs).unref();
  }

  return () => {
    count++;
    if (!timer) flush();
  };
}
