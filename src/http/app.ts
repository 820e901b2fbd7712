import multipart from "@fastify/multipart";
import swagger from "@fastify/swagger";
import swaggerUi from "@fastify/swagger-ui";
import Fastify from "fastify";
import { fail, type Limits } from "../../runtime/index.ts";
import type { Engine } from "../engine/engine.ts";
import type { Account } from "../engine/types.ts";
import type { WorkflowService } from "../engine/workflows.ts";
import { type AccountOfKey, authenticate } from "./auth.ts";
import type { App, DialectDeps, Reply, Request } from "./dialects/dialect.ts";
import { DIALECTS, dialectOf } from "./dialects/index.ts";
import { registerHealth } from "./health.ts";
import { requestIdOf } from "./ids.ts";
import { MethodTable } from "./method-table.ts";
import { openApiOptions } from "./openapi.ts";
import { schemaError, toRequestError } from "./request-errors.ts";

/** What the HTTP server needs. */
export interface AppDeps {
  readonly engine: Engine;
  readonly workflows: WorkflowService;
  readonly accountOfKey: AccountOfKey;
  readonly limits: Limits;
  ready(): boolean;
  readonly version: string;
  /** Gets errors that are bugs of ours, with the request they happened in. */
  report?(error: unknown): void;
}

/** The HTTP server. */
export interface HttpApp {
  /** Starts listening; resolves to the base URL without a closing slash. Rejects when the port is taken. */
  listen(address: { readonly host: string; readonly port: number }): Promise<string>;
  /** Stops accepting, lets open requests finish, closes idle connections. */
  close(): Promise<void>;
}

declare module "fastify" {
  interface FastifyRequest {
    account: Account | null;
  }
}

const REQUEST_TIMEOUT_MS = 120_000;
const HEADERS_TIMEOUT_MS = 20_000;
const KEEP_ALIVE_MS = 72_000;
const MAX_HEADER_BYTES = 32 * 1024;
const CLOSE_GRACE_MS = 2_000;

/** Paths that need no key. */
const PUBLIC = /^\/(|livez|readyz|openapi\.json|docs(\/.*)?)?$/;

const SECURITY_HEADERS = {
  "x-content-type-options": "nosniff",
  "x-frame-options": "DENY",
  "referrer-policy": "no-referrer",
};

const pathOf = (request: Request) => request.url.split("?", 1)[0] ?? "/";

function createServer(limits: Limits) {
  return Fastify({
    bodyLimit: limits.maxBodyBytes,
    requestTimeout: REQUEST_TIMEOUT_MS,
    keepAliveTimeout: KEEP_ALIVE_MS,
    forceCloseConnections: "idle",
    genReqId: (request) => requestIdOf(request.headers["x-request-id"]),
    http: { maxHeaderSize: MAX_HEADER_BYTES, headersTimeout: HEADERS_TIMEOUT_MS },
    routerOptions: { maxParamLength: 256 },
    ajv: {
      customOptions: {
        coerceTypes: false,
        removeAdditional: false,
        useDefaults: false,
        allErrors: false,
        strict: false,
      },
    },
    exposeHeadRoutes: false,
    return503OnClosing: false,
    logger: false,
  });
}

function installErrors(app: App, deps: AppDeps, methods: MethodTable): void {
  const answer = (request: Request, reply: Reply, thrown: unknown) => {
    const error = toRequestError(thrown, deps.limits);
    if (error.code === "INTERNAL") deps.report?.(error.cause ?? error);
    const { status, headers, body } = dialectOf(pathOf(request)).toError(error, request.id);
    return reply.code(status).headers(headers).send(body);
  };
  app.setErrorHandler((error, request, reply) => answer(request, reply, error));
  app.setNotFoundHandler((request, reply) => {
    const allowed = methods.allowed(pathOf(request));
    if (allowed.length === 0) return answer(request, reply, fail("NOT_FOUND", { path: pathOf(request) }));
    const message = `${request.method} is not allowed here; use ${allowed.join(" or ")}.`;
    const { headers, body } = dialectOf(pathOf(request)).toError(
      fail("INVALID_REQUEST", { message, code: "method_not_allowed" }),
      request.id,
    );
    return reply
      .code(405)
      .headers({ ...headers, allow: allowed.join(", ") })
      .send(body);
  });
}

function installHooks(app: App, deps: AppDeps): void {
  app.decorateRequest("account", null);
  app.addHook("onRequest", async (request, reply) => {
    reply.headers({ "x-request-id": request.id, ...SECURITY_HEADERS });
    if (!PUBLIC.test(pathOf(request))) request.account = authenticate(request.headers, deps.accountOfKey);
  });
}

function dialectDeps(deps: AppDeps): DialectDeps {
  return {
    engine: deps.engine,
    workflows: deps.workflows,
    limits: deps.limits,
    version: deps.version,
    account(request) {
      if (request.account === null) throw fail("UNAUTHENTICATED");
      return request.account;
    },
    requestId: (request) => request.id,
    validate(request, schema, body) {
      const check = request.compileValidationSchema({ ...schema }, "body");
      if (!check(body)) throw schemaError((check.errors ?? []) as Parameters<typeof schemaError>[0]);
    },
  };
}

/** Builds the HTTP server: hooks, error answers, health, documentation and every dialect. */
export async function createApp(deps: AppDeps): Promise<HttpApp> {
  const app = createServer(deps.limits);
  const methods = new MethodTable();
  app.addHook("onRoute", ({ method, url }) => methods.add(method, url));
  installHooks(app, deps);
  installErrors(app, deps, methods);
  await app.register(multipart, { throwFileSizeLimit: true });
  await app.register(swagger, openApiOptions(deps.version));
  await app.register(swaggerUi, { routePrefix: "/docs", staticCSP: true });
  registerHealth(app, deps);
  const shared = dialectDeps(deps);
  for (const dialect of DIALECTS) dialect.register(app, shared);
  await app.ready();
  const server = app.server;
  return {
    listen: (address) => app.listen(address),
    async close() {
      // Streams of runs that go on after the stop would keep their connections open for ever.
      const force = setTimeout(() => server.closeAllConnections(), CLOSE_GRACE_MS);
      await app.close();
      clearTimeout(force);
    },
  };
}
