import { randomUUID } from "node:crypto";
import { fail, type Runtime } from "../../../runtime/index.ts";
import type { Store, WebhookEndpoint } from "../../store/store.ts";
import { PLACES } from "../sealing/places.ts";
import type { Sealer } from "../sealing/sealer.ts";
import { createDispatcher, type Dispatcher } from "./dispatcher.ts";
import { createKeyring, type Keyring } from "./keyring.ts";
import type { ShowRun } from "./message.ts";
import { newSigningSecret } from "./signing-secret.ts";
import type { EndpointKey, EndpointRule, WebhookService } from "./webhook-service.ts";
import { checkWebhookUrl } from "./webhook-url.ts";

/** What webhooks stand on. */
export interface WebhookOptions {
  readonly store: Store;
  readonly runtime: Pick<Runtime, "outbound">;
  /** Key that signing secrets are encrypted with; kept apart from the store. */
  readonly sealer: Sealer;
  readonly showRun: ShowRun;
  readonly report: (error: unknown) => void;
  /** Milliseconds since the epoch. */
  readonly now: () => number;
}

/** Webhooks and what sends them. */
export interface Webhooks extends WebhookService, Dispatcher {}

/** Endpoints of an account. */
const MAX_ENDPOINTS = 100;
const MAX_WORKFLOWS = 1_000;
const MAX_DESCRIPTION = 1_000;
/** A former secret signs as well for this long, ms. */
const FORMER_MS = 86_400_000;

const unknownEndpoint = ({ endpointId }: EndpointKey) =>
  fail("NOT_FOUND", { message: `Webhook not found: ${endpointId}` });
const unknownDelivery = (id: string) => fail("NOT_FOUND", { message: `Delivery not found: ${id}` });

function checkLength(param: string, length: number, max: number, what: string): void {
  if (length <= max) return;
  throw fail("INVALID_REQUEST", { message: `${param}: must be at most ${max} ${what}, got ${length}`, param });
}

type StoredRule = Omit<EndpointRule, "workflows"> & Pick<WebhookEndpoint, "workflowIds">;

async function toStored(
  accountId: string,
  { workflows, ...rule }: EndpointRule,
  { store, runtime }: WebhookOptions,
): Promise<StoredRule> {
  checkWebhookUrl("url", rule.url, runtime);
  checkLength("description", rule.description.length, MAX_DESCRIPTION, "characters");
  checkLength("workflows", workflows?.length ?? 0, MAX_WORKFLOWS, "workflows");
  if (workflows === null) return { ...rule, workflowIds: null };
  const workflowIds: string[] = [];
  for (const key of workflows) {
    const workflow = await store.findWorkflow({ accountId, key });
    if (workflow === null) throw fail("WORKFLOW_NOT_FOUND", { ref: key });
    workflowIds.push(workflow.id);
  }
  return { ...rule, workflowIds };
}

/** The half that is asked over the API. */
function createService(options: WebhookOptions, dispatcher: Dispatcher, keyring: Keyring): WebhookService {
  const { store, sealer, now } = options;

  const find = async (endpoint: EndpointKey): Promise<WebhookEndpoint> => {
    const found = await store.findEndpoint(endpoint);
    if (found === null) throw unknownEndpoint(endpoint);
    return found;
  };

  return {
    async create({ accountId, rule }) {
      const secret = newSigningSecret();
      const id = `whk_${randomUUID().replaceAll("-", "")}`;
      const sealed = sealer.seal(secret, PLACES.endpoint(id));
      const endpoint = { ...(await toStored(accountId, rule, options)), id, accountId, secret: sealed };
      return { endpoint: await store.addEndpoint({ endpoint, max: MAX_ENDPOINTS, now: now() }), secret };
    },
    list: (params) => store.listEndpoints(params),
    find,
    async update({ changes, ...endpoint }) {
      const known = await find(endpoint);
      const rule = { ...known, workflows: known.workflowIds, ...changes };
      const { url, description, events, workflowIds, enabled } = await toStored(endpoint.accountId, rule, options);
      const stored = { url, description, events, workflowIds, enabled, now: now() };
      if (!(await store.redefineEndpoint({ ...endpoint, ...stored }))) throw unknownEndpoint(endpoint);
      return find(endpoint);
    },
    async rotate(endpoint) {
      const secret = newSigningSecret();
      const sealed = {
        secret: sealer.seal(secret, PLACES.endpoint(endpoint.endpointId)),
        formerUntil: now() + FORMER_MS,
        now: now(),
      };
      if (!(await store.rotateEndpoint({ ...endpoint, ...sealed }))) throw unknownEndpoint(endpoint);
      return { endpoint: await find(endpoint), secret };
    },
    async remove(endpoint) {
      if (!(await store.removeEndpoint(endpoint))) throw unknownEndpoint(endpoint);
    },
    renewSecret: (accountId) => keyring.renew(accountId),
    deliveries: (params) => store.listDeliveries(params),
    async delivery(params) {
      const delivery = await store.findDelivery(params);
      if (delivery === null) throw unknownDelivery(params.deliveryId);
      return { delivery, attempts: await store.readAttempts(params) };
    },
    async replay(params) {
      const isReplayed = await store.replayDelivery({ ...params, now: now() });
      const delivery = await store.findDelivery(params);
      if (delivery === null) throw unknownDelivery(params.deliveryId);
      if (!isReplayed) throw fail("CONFLICT", { message: `Delivery ${delivery.id} is pending; it is sent anyway.` });
      dispatcher.wake();
      return delivery;
    },
  };
}

/** Makes the service and its dispatcher; nothing is sent before {@link Dispatcher.start}. */
export function createWebhooks(options: WebhookOptions): Webhooks {
  const { store, now } = options;
  const keyring = createKeyring(store, options.sealer, now);
  const dispatcher = createDispatcher({ ...options, keyring });
  return {
    ...createService(options, dispatcher, keyring),
    start: () => dispatcher.start(),
    wake: () => dispatcher.wake(),
    stop: () => dispatcher.stop(),
  };
}
