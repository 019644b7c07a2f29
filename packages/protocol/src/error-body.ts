import { z } from "zod";
import { ERRORS, type ErrorBody, type ErrorCode, type ErrorType } from "./error.ts";

const codes = Object.keys(ERRORS) as ErrorCode[];
const types = [...new Set(Object.values(ERRORS).map(({ type }) => type))] as ErrorType[];

/** The one error envelope, as a response body or as an event of a stream. */
export const errorBodySchema: z.ZodType<ErrorBody> = z.strictObject({
  error: z.strictObject({
    message: z.string(),
    type: z.enum(types),
    /** The parameter at fault, for example `messages[0].content` or `x-openclaw-session-key`. */
    param: z.string().nullable(),
    code: z.enum(codes),
  }),
});
