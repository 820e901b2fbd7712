import { createServer } from "node:http";
import type { AddressInfo } from "node:net";

/** An upstream service that fails when told to. */
export interface FlakyHttp {
  readonly url: string;
  /** Paths asked for, in order. */
  readonly asked: string[];
  /** How often each path still breaks the connection (`broken`) or answers 503. */
  readonly broken: Map<string, number>;
  readonly unavailable: Map<string, number>;
  close(): void;
}

function takeOne(left: Map<string, number>, path: string): boolean {
  const count = left.get(path) ?? 0;
  left.set(path, count - 1);
  return count > 0;
}

/** Starts it on a free port; what is not told to fail is answered with its path. */
export async function startFlakyHttp(): Promise<FlakyHttp> {
  const asked: string[] = [];
  const broken = new Map<string, number>();
  const unavailable = new Map<string, number>();
  const server = createServer((request, response) => {
    const path = request.url ?? "";
    asked.push(path);
    if (takeOne(broken, path)) request.socket.destroy();
    else response.writeHead(takeOne(unavailable, path) ? 503 : 200).end(path);
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const close = () => {
    server.closeAllConnections();
    server.close();
  };
  return { url, asked, broken, unavailable, close };
}
