/** A file that could not be edited safely. It is as it was. */
export class EditError extends Error {
  override readonly name = "EditError";
}
