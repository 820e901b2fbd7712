import { createServer, type IncomingMessage, type RequestListener } from "node:http";
import type { AddressInfo } from "node:net";

/** A scripted web server on loopback. */
export interface WebStub {
  readonly port: number;
  readonly url: string;
  readonly requests: readonly { readonly request: IncomingMessage; readonly body: string }[];
  connections(): number;
  close(): Promise<void>;
}

async function textOf(request: IncomingMessage): Promise<string> {
  let text = "";
  for await (const chunk of request.setEncoding("utf8")) text += String(chunk);
  return text;
}

/** Starts a server that answers with `listener` once the request's body is in. */
export async function startWebStub(listener: RequestListener): Promise<WebStub> {
  const requests: { request: IncomingMessage; body: string }[] = [];
  let connections = 0;
  const server = createServer((request, response) => {
    textOf(request).then(
      (body) => {
        requests.push({ request, body });
        listener(request, response);
      },
      () => response.destroy(),
    );
  });
  server.on("connection", () => connections++);
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as AddressInfo;
  return {
    port,
    url: `http://127.0.0.1:${port}`,
    requests,
    connections: () => connections,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}
