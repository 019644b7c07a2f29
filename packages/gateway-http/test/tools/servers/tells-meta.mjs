// Its tool tells what came along with the call.
import { serve, tool } from "./speak.mjs";

serve({
  tools: () => [tool("meta")],
  call: (answer, { _meta }) => answer(JSON.stringify(_meta ?? {})),
});
