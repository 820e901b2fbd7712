import type { App, DialectDeps, Reply, Request } from "../dialect.ts";
import { answerCall, CALL_ANSWERS } from "./call-answer.ts";
import { INVOKE_SCHEMA, type InvokeBody, toInvokeRequest } from "./invoke-request.ts";

/** Paths of the call; the last is for OpenAI clients with baseURL <url>/v1. */
const PATHS = ["/workflow/chat/completions", "/workflow/v1/chat/completions", "/v1/chat/completions"];

/** The call itself: sync, stream and background. */
export function registerInvoke(app: App, deps: DialectDeps): void {
  const handler = async (request: Request, reply: Reply) => {
    const { id: accountId, key } = deps.account(request);
    const caller = { accountId, key: key.name, requestId: deps.requestId(request) };
    const call = toInvokeRequest(request.body as InvokeBody, request.headers, caller);
    const invocation = await deps.engine.invoke(call);
    return answerCall(deps, request, reply, { invocation, model: (request.body as InvokeBody).model });
  };
  PATHS.forEach((path, i) => {
    const schema = {
      tags: ["invoke"],
      summary: "Run a workflow",
      description:
        "Waits for the result. With an `Idempotency-Key` header the same call joins or returns the first execution of the key, another call gets 409. Many clients give up when nothing comes for five minutes: for a run that may take longer than four, use stream or background.",
      body: INVOKE_SCHEMA,
      response: CALL_ANSWERS,
      ...(i === 0 ? {} : { hide: true }),
    };
    app.post(path, { schema }, handler);
  });
}
