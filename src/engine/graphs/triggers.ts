import { createHash, timingSafeEqual } from "node:crypto";
import { fail } from "../../../runtime/index.ts";
import type { Store, Trigger } from "../../store/store.ts";
import type { GraphService } from "./graph-service.ts";

const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/i;

const digest = (text: string): Buffer => createHash("sha256").update(text).digest();

/** Takes as long whatever is sent; a webhook without a secret takes nobody's. */
function isSecretOf({ secret }: Trigger, sent: string | null): boolean {
  const isEqual = timingSafeEqual(digest(secret), digest(sent ?? ""));
  return isEqual && sent !== null && sent !== "" && secret !== "";
}

/** What calls of webhooks stand on. */
export interface TriggerOptions {
  readonly store: Pick<Store, "findTrigger" | "findGraphFacts" | "takeArm">;
  readonly run: GraphService["run"];
  readonly now: () => number;
}

/** Makes the function that starts what a webhook stands for. The secret is looked at before the window, so that a wrong one does not close it. */
export function createTriggers({ store, run, now }: TriggerOptions): GraphService["trigger"] {
  const isOpen = async ({ accountId, workflowId, singleUse }: Trigger): Promise<boolean> => {
    const facts = await store.findGraphFacts({ accountId, workflowId });
    if (facts?.deployed === true && !singleUse) return true;
    return store.takeArm({ workflowId, now: now() });
  };

  return async ({ triggerId, secret, payload, requestId }) => {
    if (!UUID.test(triggerId)) {
      throw fail("INVALID_REQUEST", { message: "Invalid webhook ID", param: "webhook_id", code: "invalid_webhook" });
    }
    const trigger = await store.findTrigger({ triggerId: triggerId.toLowerCase() });
    if (trigger === null) throw fail("NOT_FOUND", { message: "Webhook not found", code: "webhook_not_found" });
    if (!isSecretOf(trigger, secret)) throw fail("UNAUTHENTICATED", { message: "Unauthorized" });
    if (!(await isOpen(trigger))) throw fail("FORBIDDEN", { message: "Webhook is not active" });
    const { accountId, workflowId } = trigger;
    return run({
      ...{ accountId, key: workflowId, input: payload, requestId, mode: "sync", version: "active" },
      ...{ context: {}, sessionId: null, fresh: true, timeoutMs: null, onDisconnect: "continue" },
      ...{ webhook: null, idempotencyKey: null, keyName: null },
    });
  };
}
