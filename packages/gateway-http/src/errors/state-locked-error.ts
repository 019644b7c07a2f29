/** Another gateway has the state folder. */
export class StateLockedError extends Error {
  override readonly name = "StateLockedError";

  constructor(folder: string) {
    super(`${folder} is in use by another gateway. Give this one its own folder with OPENCLAW_STATE_DIR.`);
  }
}
