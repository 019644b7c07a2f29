import { hi, makeClient } from "./client.ts";
import { bodyOf, DONE, finish, SSE, START, say } from "./wire.ts";

/** A stream, and how many pieces of its body have been asked for. */
export async function openCounted() {
  let given = 0;
  const pieces = (function* () {
    for (const piece of [START, say("a"), say("b"), finish(), DONE]) {
      given++;
      yield piece;
    }
  })();
  const client = makeClient({ fetch: async () => new Response(bodyOf(pieces), { headers: SSE }) });
  return { stream: await client.chat.completions.create({ ...hi, stream: true }), given: () => given };
}
