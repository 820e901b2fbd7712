import type { AuditLog } from "../engine/audit/audit-log.ts";
import type { App, Request } from "./dialects/dialect.ts";
import { rulesOfRequest } from "./route-rules.ts";

/** Members of a body that name what is managed; nothing else of a body is kept. */
const NAMES = ["name", "workflow_ref_name", "scopes", "refs", "suspended", "workflow", "app_id"];
/** Longest JSON text of what a request named, in UTF-16 units. */
const MAX_TARGET = 1_000;

function targetOf(request: Request): string {
  const body = typeof request.body === "object" && request.body !== null ? request.body : {};
  const named = NAMES.filter((name) => Object.hasOwn(body, name)).map((name) => [name, Reflect.get(body, name)]);
  const json = JSON.stringify({ ...(request.params as object), ...Object.fromEntries(named) });
  return json.length <= MAX_TARGET ? json : JSON.stringify({ ...(request.params as object), truncated: true });
}

/** Writes every management action down before it is answered; an action that cannot be written down is not answered as done. */
export function installAudit(app: App, log: AuditLog): void {
  app.addHook("onSend", (request, reply, payload, done) => {
    const { account } = request;
    if (account === null || request.is404 || !rulesOfRequest(request).isAudited) return done(null, payload);
    const written = log.add({
      accountId: account.id,
      keyId: account.key.id,
      keyName: account.key.name,
      action: `${request.method} ${request.routeOptions.url}`,
      target: targetOf(request),
      status: reply.statusCode,
      address: request.ip,
      requestId: request.id,
    });
    written.then(
      () => done(null, payload),
      (error: Error) => done(error),
    );
  });
}
