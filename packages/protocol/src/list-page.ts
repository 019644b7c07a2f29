import { z } from "zod";

/** One page of a list, as OpenAI pages its lists: ask for the next one with `after: last_id`. */
export const listPageSchema = <T extends z.ZodType>(item: T) =>
  z.looseObject({
    object: z.literal("list"),
    data: z.array(item),
    first_id: z.string().nullable(),
    last_id: z.string().nullable(),
    has_more: z.boolean(),
  });

export interface ListPage<T> {
  object: "list";
  data: T[];
  first_id: string | null;
  last_id: string | null;
  has_more: boolean;
}

/** What every list can be asked for. */
export interface ListParams {
  /** The id after which the page begins. */
  after?: string | null | undefined;
  /** 1 to 100, 20 by default. */
  limit?: number | undefined;
  order?: "asc" | "desc" | undefined;
}
