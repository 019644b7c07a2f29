import { serve, tool } from "./speak.mjs";

function litter() {
  process.stdout.write(
    'Server is running!\n{"level":"info"}\n[1,2]\nnull\n\n{"jsonrpc":"2.0","id":999,"result":{}}\r\n\u0000\n',
  );
}

litter();
serve({
  tools() {
    litter();
    return [tool("fine")];
  },
  call(answer) {
    litter();
    answer("fine");
    litter();
  },
});
