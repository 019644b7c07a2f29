import { z } from "zod";

/** What `GET /health` answers while the process lives. */
export const healthSchema = z.looseObject({ status: z.literal("ok") });

/** What `GET /ready` answers; with 503 unless it is `ready`. */
export const readySchema = z.looseObject({ status: z.enum(["ready", "starting", "draining"]) });
