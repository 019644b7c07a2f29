/** UTF-16 code units that wait for a reader of standard error. What comes while there are more is lost. */
const MAX_BACKLOG = 1024 * 1024;
let isListening = false;

/**
 * Writes lines to standard error, and never waits for whoever reads them: a reader that stops costs lines, not answers.
 * Node writes to a terminal and to a file at once, and to a pipe as far as it has room; the rest follows.
 *
 * @param onLost told how many lines were lost, once there is room again
 * @returns takes a line, its end included
 */
export function createLineWriter(onLost: (count: number) => void): (line: string) => void {
  const { stderr } = process;
  // A full disk or a reader that is gone costs lines of the log. Without a listener it would cost the process.
  if (!isListening) stderr.on("error", () => {});
  isListening = true;
  let lost = 0;

  function tellLost(): void {
    const count = lost;
    lost = 0;
    onLost(count);
  }

  return (line) => {
    if (stderr.writableLength <= MAX_BACKLOG) stderr.write(line);
    else if (lost++ === 0) stderr.once("drain", tellLost);
  };
}
