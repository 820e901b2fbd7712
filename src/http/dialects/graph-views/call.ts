import type { GraphCall } from "../../../engine/graphs/graph-service.ts";
import type { DialectDeps, Request } from "../dialect.ts";
import { idempotencyKeyOf } from "../maitai/idempotency-key.ts";

type Asked = Pick<GraphCall, "key" | "input" | "mode"> & Partial<GraphCall>;

/** A call of a workflow by a request; what a dialect does not know has the usual value. */
export function toCall(deps: DialectDeps, request: Request, asked: Asked): GraphCall {
  const { id: accountId, key } = deps.account(request);
  return {
    ...{ accountId, keyName: key.name, requestId: deps.requestId(request), version: "active", context: {} },
    ...{ sessionId: null, fresh: false, timeoutMs: null, onDisconnect: null, webhook: null },
    idempotencyKey: idempotencyKeyOf(request.headers),
    ...asked,
  };
}
