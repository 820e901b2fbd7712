import type { Services } from "../engine/services.ts";
import type { Caller } from "../engine/types.ts";
import { type AccountOfKey, authenticate } from "./auth.ts";
import type { App, Request } from "./dialects/dialect.ts";
import { checkKeyRefs } from "./key-refs.ts";
import { rulesOfRequest } from "./route-rules.ts";
import { checkRules } from "./scopes.ts";
import type { Traffic } from "./traffic.ts";

/** What access needs. */
export interface AccessDeps {
  readonly accountOfKey: AccountOfKey;
  readonly services: Pick<Services, "graphs" | "engine">;
  readonly traffic: Traffic;
}

declare module "fastify" {
  interface FastifyRequest {
    account: Caller | null;
  }
  interface FastifyContextConfig {
    /** True for a route that needs no key: a link that is signed, for example. */
    public?: boolean;
  }
}

/** Paths of the server itself that need no key; a route of a dialect says `config: { public: true }`. */
const PUBLIC = /^\/(livez|readyz|openapi\.json|docs(\/.*)?)?$/;

/** The path of a request without its query. */
export const pathOf = ({ url }: Request) => url.split("?", 1)[0] ?? "/";

/** True where no key is needed; whether a path exists is no secret. Asked last: nearly every request brings a key. */
function isOpen(request: Request): boolean {
  return request.is404 || request.routeOptions.config.public === true || PUBLIC.test(pathOf(request));
}

/** Who calls, whether the key may do it, and how much: throws UNAUTHENTICATED, FORBIDDEN, RATE_LIMITED. */
function admit(request: Request, { accountOfKey, traffic }: AccessDeps): (() => void) | null {
  const caller = authenticate(request.headers, accountOfKey);
  request.account = caller;
  const leave = traffic.enter(caller);
  try {
    if (!isOpen(request)) checkRules(caller, rulesOfRequest(request));
  } catch (error) {
    leave?.();
    throw error;
  }
  return leave;
}

/** Adds the hooks that name the caller of every request and refuse what its key does not allow, before its body is read. */
export function installAccess(app: App, deps: AccessDeps): void {
  app.decorateRequest("account", null);
  app.addHook("onRequest", (request, reply, done) => {
    try {
      const leave = admit(request, deps);
      if (leave !== null) reply.raw.once("close", leave);
    } catch (error) {
      const isMissing = request.account === null && isOpen(request);
      return isMissing ? done() : done(error as Error);
    }
    return done();
  });
  app.addHook("preHandler", (request, _reply, done) => {
    const { account, method, routeOptions, body } = request;
    if (account === null || account.key.refs === null || isOpen(request)) return done();
    const params = request.params as Readonly<Record<string, string | undefined>>;
    const query = request.query as Readonly<Record<string, unknown>>;
    checkKeyRefs(account, { method, url: routeOptions.url ?? "", params, query, body }, deps.services).then(
      () => done(),
      (error: Error) => done(error),
    );
  });
}
