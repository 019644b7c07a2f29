import type { TurnParams } from "../../chat/turn.ts";
import type { StreamModel } from "../model.ts";

/** A model that is asked for any JSON object where a caller wants a schema kept and gives none. */
export function withoutSchemaless(stream: StreamModel): StreamModel {
  return (request, call) => {
    const { response_format: format } = request.params as TurnParams;
    if (format?.type !== "json_schema" || format.json_schema?.schema != null) return stream(request, call);
    return stream({ ...request, params: { ...request.params, response_format: { type: "json_object" } } }, call);
  };
}
