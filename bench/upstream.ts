import { createServer, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";

// The service that the bench's scripts call: /now answers at once, /wait after 100 ms, /hang says that it was called
// (a line on standard output) and never answers.

const WAIT_MS = 100;

function answer(response: ServerResponse): void {
  response.setHeader("content-type", "application/json").end('{"ok":true,"value":42}');
}

const server = createServer((request, response) => {
  request.resume();
  const { pathname, search } = new URL(request.url ?? "/", "http://upstream");
  if (pathname === "/hang") process.stdout.write(`called ${search.slice(1)}\n`);
  else if (pathname === "/wait") setTimeout(answer, WAIT_MS, response);
  else answer(response);
});
server.keepAliveTimeout = 60_000;
server.listen(0, "127.0.0.1", () => {
  process.stdout.write(`http://127.0.0.1:${(server.address() as AddressInfo).port}\n`);
});
