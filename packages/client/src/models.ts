import type { RequestOptions } from "./options.ts";
import type { ResponsePromise, Send } from "./request.ts";
import type { Model, ModelList } from "./types.ts";

export interface Models {
  /** Every agent this token may use, as a model. */
  list(options?: RequestOptions): ResponsePromise<ModelList>;
  /** The agent that `id` names, such as `openclaw/main`. */
  retrieve(id: string, options?: RequestOptions): ResponsePromise<Model>;
}

export function createModels(send: Send): Models {
  return {
    list: (options) => send(["models"], options),
    retrieve: (id, options) => send(["models", id], options),
  };
}
