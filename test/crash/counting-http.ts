import { createServer } from "node:http";
import type { AddressInfo } from "node:net";

/** An HTTP upstream that answers `{ echo: <id of the posted JSON> }` and remembers who asked. */
export interface CountingHttp {
  readonly url: string;
  /** Idempotency keys in the order of the requests. */
  readonly keys: readonly string[];
  close(): Promise<void>;
}

/** Starts it on a free port of loopback; every answer takes what `delayMs` says. */
export async function startCountingHttp(delayMs: () => number): Promise<CountingHttp> {
  const keys: string[] = [];
  const server = createServer((request, response) => {
    keys.push(String(request.headers["idempotency-key"]));
    let text = "";
    request.setEncoding("utf8").on("data", (piece: string) => {
      text += piece;
    });
    request.on("end", () => {
      const { id } = JSON.parse(text) as { readonly id: string };
      response.setHeader("content-type", "application/json");
      setTimeout(() => response.end(JSON.stringify({ echo: id })), delayMs());
    });
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/`,
    keys,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}
