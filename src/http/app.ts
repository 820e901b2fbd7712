import { AjvCompiler } from "@fastify/ajv-compiler";
import cors from "@fastify/cors";
import multipart from "@fastify/multipart";
import Fastify from "fastify";
import { fail, type Limits, type WorkflowError } from "../../runtime/index.ts";
import { UNLIMITED } from "../engine/accounts/account-service.ts";
import type { Services } from "../engine/services.ts";
import type { TrafficLimits } from "../engine/types.ts";
import { installAccess, pathOf } from "./access.ts";
import { installAudit } from "./audit.ts";
import type { AccountOfKey } from "./auth.ts";
import { answerBadConnection } from "./connection-errors.ts";
import type { App, Dialect, DialectDeps, Reply, Request } from "./dialects/dialect.ts";
import { DIALECTS, dialectOf } from "./dialects/index.ts";
import { installTurnEnd } from "./end-of-turn.ts";
import { registerHealth } from "./health.ts";
import { requestIdOf } from "./ids.ts";
import { parseJsonBody } from "./json-body.ts";
import { createLateRequests } from "./late-requests.ts";
import { createLazyValidators } from "./lazy-validators.ts";
import { MethodTable } from "./method-table.ts";
import { withAnswers } from "./openapi.ts";
import { installPressure, watchEventLoop } from "./pressure.ts";
import { registerReference } from "./reference-page.ts";
import { methodNotAllowed, toRequestError } from "./request-errors.ts";
import { installRules } from "./route-rules.ts";
import { createTraffic } from "./traffic.ts";

/** What the HTTP server needs. */
export interface AppDeps {
  readonly services: Services;
  readonly accountOfKey: AccountOfKey;
  readonly limits: Limits;
  ready(): boolean;
  readonly version: string;
  readonly executionsPerMinute?: number | null;
  /** Limits of accounts that have none of their own; none by default. */
  readonly accountDefaults?: TrafficLimits;
  /** Delay of the server's thread from which on nothing new is started, ms; none by default. */
  readonly maxDelayMs?: number;
  /** Origins whose pages may call from a browser, `*` = any; none by default. */
  readonly corsOrigins?: readonly string[];
  /** CIDR ranges of proxies whose X-Forwarded-For is believed; none by default. */
  readonly trustProxy?: readonly string[];
  /** Gets errors that are bugs of ours. */
  report(error: unknown): void;
}

/** The HTTP server. */
export interface HttpApp {
  /** Starts listening; resolves to the base URL without a closing slash. Rejects when the port is taken. */
  listen(address: { readonly host: string; readonly port: number }): Promise<string>;
  /** Stops accepting, lets open requests finish for a moment, closes all connections. */
  close(): Promise<void>;
}

declare module "fastify" {
  interface FastifyContextConfig {
    /** The dialect that registered the route: it words the errors. */
    dialect?: Dialect;
    /** True for a route whose body may take any time to arrive, as long as bytes keep coming. */
    longBody?: boolean;
  }
}

/** The headers of a request must have arrived within this time; its body is watched by late-requests.ts. */
const HEADERS_TIMEOUT_MS = 20_000;
const KEEP_ALIVE_MS = 72_000;
/** How often late requests are looked for. */
const TIMEOUT_LOOK_MS = 5_000;
const MAX_HEADER_BYTES = 32 * 1024;
/** The id of a record has up to 1,024 bytes, three characters each in a path. */
const MAX_PARAM_CHARS = 3_072;
/** How long open answers may take once the server closes. */
const CLOSE_GRACE_MS = 2_000;

const SECURITY_HEADERS = {
  "x-content-type-options": "nosniff",
  "x-frame-options": "DENY",
  "referrer-policy": "no-referrer",
  "cache-control": "no-store",
};

function answerError(thrown: unknown, request: Request, reply: Reply, limits: Limits): WorkflowError {
  const error = toRequestError(thrown, request, limits);
  const dialect = request.routeOptions?.config?.dialect ?? dialectOf(pathOf(request));
  const { status, headers, body } = dialect.toError(error, request.id);
  // A body that was refused is read to its end and thrown away: closing at once would lose the answer on its way.
  reply.removeHeader("connection");
  if (!request.raw.complete) request.raw.unpipe().resume();
  reply
    .code(status)
    .headers({ ...SECURITY_HEADERS, ...headers, "x-request-id": request.id })
    .send(body);
  return error;
}

function createServer({ limits, trustProxy = [] }: AppDeps) {
  const app = Fastify({
    bodyLimit: limits.maxBodyBytes,
    trustProxy: trustProxy.length === 0 ? false : [...trustProxy],
    requestTimeout: 0,
    keepAliveTimeout: KEEP_ALIVE_MS,
    forceCloseConnections: "idle",
    genReqId: (request) => requestIdOf(request.headers["x-request-id"]),
    http: {
      maxHeaderSize: MAX_HEADER_BYTES,
      headersTimeout: HEADERS_TIMEOUT_MS,
      connectionsCheckingInterval: TIMEOUT_LOOK_MS,
    },
    routerOptions: { maxParamLength: MAX_PARAM_CHARS, ignoreTrailingSlash: true },
    ajv: {
      customOptions: {
        coerceTypes: false,
        removeAdditional: false,
        useDefaults: false,
        allErrors: false,
        strict: false,
        verbose: true,
      },
    },
    clientErrorHandler: answerBadConnection,
    frameworkErrors: (error, request, reply) => answerError(error, request as Request, reply as Reply, limits),
    // Requests that come while the server closes are answered by the engine, which says STOPPING.
    return503OnClosing: false,
    logger: false,
    schemaController: {
      compilersFactory: {
        buildValidator: createLazyValidators(AjvCompiler()),
        // Schemas of answers are for the documentation: what is sent is not cut to them.
        buildSerializer: () => () => (data: unknown) => JSON.stringify(data),
      },
    },
  });
  app.removeAllContentTypeParsers();
  app.addContentTypeParser("application/json", { parseAs: "string" }, (_request, text, done) => {
    try {
      done(null, parseJsonBody(String(text)));
    } catch (error) {
      done(error as Error);
    }
  });
  return app;
}

function installErrors(app: App, deps: AppDeps, methods: MethodTable): void {
  const answer = (request: Request, reply: Reply, thrown: unknown) => {
    const error = answerError(thrown, request, reply, deps.limits);
    if (error.code === "INTERNAL") deps.report(error.cause ?? error);
    return reply;
  };
  app.setErrorHandler((error, request, reply) => answer(request, reply, error));
  app.setNotFoundHandler((request, reply) => {
    const allowed = methods.allowed(pathOf(request));
    // A path may match and still lead nowhere, such as a file that is not there.
    if (allowed.length === 0 || allowed.includes(request.method))
      return answer(request, reply, fail("NOT_FOUND", { message: `There is nothing at ${pathOf(request)}.` }));
    reply.header("allow", allowed.join(", "));
    return answer(request, reply, methodNotAllowed(request.method, allowed));
  });
}

/** Answers and closes as Node does where it keeps the time itself. */
function watchBodies(app: App): void {
  const late = createLateRequests(({ socket }) => {
    app.server.emit("clientError", Object.assign(new Error("late"), { code: "ERR_HTTP_REQUEST_TIMEOUT" }), socket);
  });
  app.addHook("onRequest", (request, _reply, done) => {
    late.watch(request.raw, request.routeOptions.config.longBody === true);
    done();
  });
  // Not when the answer has left: the server would listen for that on every request.
  app.addHook("onSend", (request, _reply, _payload, done) => {
    late.answered(request.raw);
    done();
  });
  app.addHook("onClose", (_app, done) => {
    late.close();
    done();
  });
}

function installHooks(app: App, deps: AppDeps, methods: MethodTable): void {
  app.addHook("onRoute", (route) => {
    methods.add(route.method, route.url);
  });
  app.addHook("onRequest", (request, reply, done) => {
    reply.headers(SECURITY_HEADERS).header("x-request-id", request.id);
    done();
  });
  installRules(app);
  installPressure(app, watchEventLoop(), deps.maxDelayMs ?? Number.POSITIVE_INFINITY);
  installAccess(app, { ...deps, traffic: createTraffic(deps.accountDefaults ?? UNLIMITED, Date.now) });
  installAudit(app, deps.services.audit);
  installTurnEnd(app);
}

const EXPOSED = ["x-request-id", "retry-after", "x-should-retry", "location", "x-weft-cache", "x-weft-execution-id"];

/** Lets pages of other origins call; they send a key in a header, so nothing is allowed that a browser adds by itself. */
async function installCors(app: App, origins: readonly string[]): Promise<void> {
  if (origins.length === 0) return;
  const origin = origins.includes("*") ? "*" : [...origins];
  await app.register(cors, {
    origin,
    credentials: false,
    exposedHeaders: EXPOSED,
    maxAge: 600,
    strictPreflight: false,
  });
}

function dialectDeps(deps: AppDeps): DialectDeps {
  return {
    ...deps.services,
    limits: deps.limits,
    version: deps.version,
    executionsPerMinute: deps.executionsPerMinute ?? null,
    account(request) {
      if (request.account === null) throw fail("UNAUTHENTICATED");
      return request.account;
    },
    requestId: (request) => request.id,
  };
}

/** Registers the routes of a dialect in a scope of its own: their errors are its own, in answers and in the documentation. */
async function registerDialect(app: App, dialect: Dialect, deps: DialectDeps): Promise<void> {
  await app.register(async (scope) => {
    scope.addHook("onRoute", (route) => {
      route.config = { ...route.config, dialect };
      if (route.schema !== undefined) route.schema = withAnswers(route.schema, dialect.errorSchema);
    });
    dialect.register(scope as App, deps);
  });
}

/** Builds the HTTP server: hooks, error answers, health, documentation and every dialect. */
export async function createApp(deps: AppDeps): Promise<HttpApp> {
  const app = createServer(deps);
  const methods = new MethodTable();
  await installCors(app, deps.corsOrigins ?? []);
  installHooks(app, deps, methods);
  watchBodies(app);
  installErrors(app, deps, methods);
  await app.register(multipart, { throwFileSizeLimit: true });
  await registerReference(app, deps.version, () => createServer(deps));
  registerHealth(app, deps);
  const shared = dialectDeps(deps);
  for (const dialect of DIALECTS) await registerDialect(app, dialect, shared);
  await app.ready();
  const { server } = app;
  return {
    listen: (address) => app.listen(address),
    async close() {
      const force = setTimeout(() => server.closeAllConnections(), CLOSE_GRACE_MS);
      await app.close();
      clearTimeout(force);
    },
  };
}
