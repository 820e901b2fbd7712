import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { McpServer } from "@modelcontextprotocol/sdk/server/mcp.js";
import { StreamableHTTPServerTransport } from "@modelcontextprotocol/sdk/server/streamableHttp.js";
import type { Transport } from "@modelcontextprotocol/sdk/shared/transport.js";

/** A server of the official SDK on loopback. */
export interface TestMcpServer {
  readonly url: string;
  /** Method, headers and body of every HTTP request, in their order. */
  readonly requests: readonly {
    readonly method: string;
    readonly headers: IncomingMessage["headers"];
    readonly body: string;
  }[];
  /** Sessions that are open. */
  sessions(): number;
  /** Forgets every session, as a server that was started anew. */
  forget(): void;
  close(): Promise<void>;
}

/** How it differs from a plain one. */
export interface TestMcpOptions {
  /** Registers the tools of one session. */
  readonly tools: (server: McpServer) => void;
  /** Answers with JSON instead of an event stream. */
  readonly json?: boolean;
  /** Keeps no sessions. */
  readonly stateless?: boolean;
}

async function textOf(request: IncomingMessage): Promise<string> {
  let text = "";
  for await (const chunk of request.setEncoding("utf8")) text += String(chunk);
  return text;
}

/** Starts it on a free port. */
export async function startMcpServer({
  tools,
  json = false,
  stateless = false,
}: TestMcpOptions): Promise<TestMcpServer> {
  const requests: { method: string; headers: IncomingMessage["headers"]; body: string }[] = [];
  const open = new Map<string, StreamableHTTPServerTransport>();

  const connect = async (): Promise<StreamableHTTPServerTransport> => {
    const transport = new StreamableHTTPServerTransport({
      ...(stateless ? {} : { sessionIdGenerator: () => `session-${crypto.randomUUID()}` }),
      enableJsonResponse: json,
      onsessioninitialized: (id) => void open.set(id, transport),
      onsessionclosed: (id) => void open.delete(id),
    });
    const server = new McpServer({ name: "test", version: "1" });
    tools(server);
    await server.connect(transport as Transport);
    return transport;
  };

  const handle = async (request: IncomingMessage, response: ServerResponse) => {
    const body = await textOf(request);
    requests.push({ method: request.method ?? "", headers: request.headers, body });
    const id = request.headers["mcp-session-id"];
    const known = typeof id === "string" ? open.get(id) : undefined;
    if (typeof id === "string" && known === undefined) {
      response.writeHead(404).end();
      return;
    }
    await (known ?? (await connect())).handleRequest(request, response, body === "" ? undefined : JSON.parse(body));
  };

  const http = createServer((request, response) => {
    handle(request, response).catch(() => response.destroy());
  });
  await new Promise<void>((resolve) => http.listen(0, "127.0.0.1", resolve));
  return {
    url: `http://127.0.0.1:${(http.address() as AddressInfo).port}/mcp`,
    requests,
    sessions: () => open.size,
    forget: () => open.clear(),
    close: () =>
      new Promise((resolve) => {
        http.close(() => resolve());
        http.closeAllConnections();
      }),
  };
}
