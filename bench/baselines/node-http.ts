import { createServer } from "node:http";
import type { AddressInfo } from "node:net";

// Echo with nothing but Node: the floor.

const server = createServer((request, response) => {
  const parts: Buffer[] = [];
  request.on("data", (part: Buffer) => parts.push(part));
  request.on("end", () => {
    const { input } = JSON.parse(Buffer.concat(parts).toString());
    response.setHeader("content-type", "application/json; charset=utf-8");
    response.end(JSON.stringify({ output: { echo: input } }));
  });
});
server.listen(0, "127.0.0.1", () => {
  process.stdout.write(`http://127.0.0.1:${(server.address() as AddressInfo).port}\n`);
});
