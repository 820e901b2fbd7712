import swagger, { type StaticDocumentSpec } from "@fastify/swagger";
import type { App } from "./dialects/dialect.ts";
import { openApiOptions } from "./openapi.ts";

const PREFIX = "/docs";

/** What of a request concerns its files. */
const PASSED_ON = ["accept", "range", "if-none-match", "if-modified-since"];

type Document = StaticDocumentSpec["document"];

/** Makes `server`, which listens on no port, serve the page about an OpenAPI document. */
async function servePage(server: App, document: Document): Promise<App> {
  const { default: swaggerUi } = await import("@fastify/swagger-ui");
  await server.register(swagger, { mode: "static", specification: { document } });
  await server.register(swaggerUi, { routePrefix: PREFIX, staticCSP: true });
  await server.ready();
  return server;
}

/**
 * Gathers the OpenAPI document from the routes that are registered afterwards, and serves it as a page at /docs. What the
 * page takes is loaded when someone first looks: it would be a tenth of the start.
 */
export async function registerReference(app: App, version: string, createServer: () => App): Promise<void> {
  await app.register(swagger, openApiOptions(version));
  let page: Promise<App> | null = null;
  const open = () => {
    page ??= servePage(createServer(), app.swagger() as Document).catch((error: unknown) => {
      page = null;
      throw error;
    });
    return page;
  };
  for (const url of [PREFIX, `${PREFIX}/*`]) {
    app.get(url, { schema: { hide: true } }, async (request, reply) => {
      const headers = Object.fromEntries(
        PASSED_ON.map((name) => [name, request.headers[name] ?? ""]).filter(([, value]) => value),
      );
      const { url } = request;
      const { statusCode, headers: more, rawPayload } = await (await open()).inject({ method: "GET", url, headers });
      if (statusCode === 404) return reply.callNotFound();
      return reply.code(statusCode).headers(more).send(rawPayload);
    });
  }
}
