import { fail, type Runtime } from "../../../runtime/index.ts";
import type { CallWebhook, Store } from "../../store/store.ts";
import type { Invocation, InvokeRequest } from "../engine.ts";
import { checkWebhookUrl } from "./webhook-url.ts";

/** What callbacks of calls need. */
export interface CallWebhookOptions {
  readonly store: Pick<Store, "findEndpoint" | "addCallWebhook" | "removeCallWebhook">;
  readonly runtime: Pick<Runtime, "outbound">;
  readonly report: (error: unknown) => void;
}

/** Throws INVALID_REQUEST naming the member of a callback that cannot be used. */
export async function checkCallWebhook(
  { webhook, accountId }: Pick<InvokeRequest, "webhook" | "accountId">,
  { store, runtime }: CallWebhookOptions,
): Promise<void> {
  if (webhook === null) return;
  checkWebhookUrl("webhook.url", webhook.url, runtime);
  const { endpointId } = webhook;
  if (endpointId === null || (await store.findEndpoint({ accountId, endpointId })) !== null) return;
  const message = `webhook.secret_id: must be the id of a webhook endpoint of this account, got ${JSON.stringify(endpointId)}`;
  throw fail("INVALID_REQUEST", { message, param: "webhook.secret_id" });
}

/** Begins a call whose execution is told to `webhook`, if there is one; a call that is joined or refused leaves none behind. */
export async function withWebhook(
  webhook: CallWebhook | null,
  executionId: string,
  begin: () => Promise<Invocation>,
  { store, report }: CallWebhookOptions,
): Promise<Invocation> {
  if (webhook === null) return begin();
  const forget = () => store.removeCallWebhook({ executionId }).catch(report);
  // Called before the execution is stored, so durable no later; a failure of the disk shows there, too.
  store.addCallWebhook({ executionId, webhook }).catch(report);
  try {
    const invocation = await begin();
    if (invocation.executionId !== executionId) forget();
    return invocation;
  } catch (error) {
    forget();
    throw error;
  }
}
