import type { App } from "./dialects/dialect.ts";

const tags = ["server"];

/** Liveness, readiness and the OpenAPI document. */
export function registerHealth(app: App, deps: { ready(): boolean; readonly version: string }): void {
  app.get("/livez", { schema: { tags, summary: "The process is alive", security: [] } }, async () => ({
    status: "ok",
  }));
  app.get("/readyz", { schema: { tags, summary: "New work is accepted", security: [] } }, async (_request, reply) => {
    const ready = deps.ready();
    return reply.code(ready ? 200 : 503).send({ status: ready ? "ready" : "stopping", version: deps.version });
  });
  app.get("/openapi.json", { schema: { hide: true } }, async () => app.swagger());
  app.get("/", { schema: { hide: true } }, async (_request, reply) => reply.redirect("/docs"));
}
