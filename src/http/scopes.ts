import { fail } from "../../runtime/index.ts";
import type { Caller, Scope } from "../engine/types.ts";

type Scopes = readonly Scope[];

const RUN: Scopes = ["invoke"];
/** Whoever runs something may also follow it, by its id. */
const FOLLOW: Scopes = ["invoke", "read"];
const READ: Scopes = ["read"];
const DEPLOY: Scopes = ["deploy"];
const ADMIN: Scopes = ["admin"];
const ANY: Scopes = ["invoke", "deploy", "read"];

/** What a route does to the server: starts a run, is part of one or of looking something up, or changes what is kept. */
type Kind = "start" | "call" | "change";

/**
 * Routes whose rules their method does not say: what else is a GET or HEAD needs `read`, and what else changes something
 * `deploy`. Any of the scopes is enough, and `admin` always is.
 */
const EXCEPTIONS: readonly (readonly [scopes: Scopes, kind: Kind, routes: string])[] = [
  [
    RUN,
    "start",
    `POST /workflow/chat/completions
     POST /workflow/v1/chat/completions
     POST /v1/chat/completions
     POST /agent/chat/completions
     POST /agent/v1/chat/completions
     POST /api/v1/workflows/:id/execute
     POST /v1/workflows/run
     POST /api/workflows/execute
     POST /api/workflows/:id/execute
     POST /api/workflows/:id/execute/stream`,
  ],
  [
    RUN,
    "call",
    `POST /api/v1/runs/:id/events
     POST /api/v1/events
     POST /api/workflows/:id/arm
     POST /api/v1/workflows/:id/rating
     POST /api/v1/files
     POST /api/v1/files/upload-url
     POST /v1/files/upload
     POST /v1/files/upload-url`,
  ],
  [
    RUN,
    "change",
    `POST /api/v1/runs/:id/cancel
     POST /api/v1/runs/:id/resume
     POST /api/v1/runs/:id/fork
     POST /api/v1/approvals/:id
     POST /api/v1/schedules/:id/run`,
  ],
  [
    FOLLOW,
    "call",
    `GET /workflow/models
     GET /workflow/models/:id
     GET /workflow/v1/models
     GET /workflow/v1/models/:id
     GET /v1/models
     GET /v1/models/:id
     GET /agent/models
     GET /agent/models/:id
     GET /agent/v1/models
     GET /agent/v1/models/:id
     GET /api/v1/runs/:id
     GET /api/v1/runs/:id/chunks
     GET /api/v1/runs/:id/stream
     GET /api/v1/runs/:id/events
     GET /api/v1/runs/:id/files
     GET /api/v1/files/:id/content
     GET /api/v1/executions/:execution
     GET /api/workflows/executions/:id
     GET /api/workflows/:id/executions/:execution/logs
     GET /v1/workflows/:id
     GET /v1/files/:id/status
     POST /v1/workflows/presigned-url
     POST /api/v1/files/:id/url`,
  ],
  [
    READ,
    "call",
    `POST /api/v1/workflows/validate
     POST /api/v1/workflows/:ref/check
     POST /api/v1/graphs/check
     POST /api/v1/datastores/:datastore/search
     POST /api/v1/datastores/:datastore/query
     POST /api/v1/datastores/:datastore/count
     POST /api/v1/datastores/:datastore/records/get`,
  ],
  [
    ADMIN,
    "change",
    `PUT /api/v1/budgets
     POST /api/v1/budgets/add
     POST /api/v1/runs/:id/budget
     POST /api/v1/webhooks/secret/rotate
     GET /api/v1/keys
     GET /api/v1/keys/:key
     POST /api/v1/keys
     PATCH /api/v1/keys/:key
     DELETE /api/v1/keys/:key
     POST /api/v1/keys/:key/rotate
     GET /api/v1/audit`,
  ],
  [ANY, "call", "GET /api/v1/keys/current"],
];

/** Everything below needs `admin` of the owner's own account. */
const OWNER_ONLY = /^\/api\/v1\/(accounts|backups)(\/|$)/;

/** What holds for a route. */
export interface RouteRules {
  /** Of these a key needs one. */
  readonly scopes: Scopes;
  /** True where the account must be the owner's own. */
  readonly isOwnerOnly: boolean;
  /** True for what starts a run: refused first when there is too much to do. */
  readonly isStart: boolean;
  /** True for what changes how the server is set up: it is written down. */
  readonly isAudited: boolean;
}

const BY_ROUTE: ReadonlyMap<string, { readonly scopes: Scopes; readonly kind: Kind }> = new Map(
  EXCEPTIONS.flatMap(([scopes, kind, routes]) =>
    routes.split("\n").map((route) => [route.trim(), { scopes, kind }] as const),
  ),
);

/** Routes that the table above names. */
export const NAMED_ROUTES: readonly string[] = [...BY_ROUTE.keys()];

const READING = ["GET", "HEAD", "OPTIONS"];

/** The rules of a route; `url` is its pattern. */
export function rulesOf(method: string, url: string): RouteRules {
  const isReading = READING.includes(method);
  const isOwnerOnly = OWNER_ONLY.test(url);
  const named = BY_ROUTE.get(`${method === "HEAD" ? "GET" : method} ${url}`);
  const { scopes, kind } = named ?? { scopes: isReading ? READ : DEPLOY, kind: "change" };
  return {
    scopes: isOwnerOnly ? ADMIN : scopes,
    isOwnerOnly,
    isStart: kind === "start",
    isAudited: kind === "change" && !isReading,
  };
}

function checkScopes({ key }: Caller, scopes: Scopes): void {
  if (key.scopes.includes("admin") || scopes.some((scope) => key.scopes.includes(scope))) return;
  const message = `The API key ${JSON.stringify(key.name)} has the scope ${key.scopes.join(", ")}; this needs ${scopes.join(" or ")}.`;
  throw fail("FORBIDDEN", { message, needs: scopes, has: key.scopes });
}

/** FORBIDDEN naming what is missing, when a key has none of the scopes or its account is not the owner's where it must be. */
export function checkRules(caller: Caller, { scopes, isOwnerOnly }: RouteRules): void {
  checkScopes(caller, scopes);
  if (!isOwnerOnly || caller.owner) return;
  throw fail("FORBIDDEN", { message: "This needs a key of the owner's own account." });
}
