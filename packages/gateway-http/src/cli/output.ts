/** Where a command writes; `process.stdout` is one. */
export interface Output {
  write(text: string): unknown;
}
