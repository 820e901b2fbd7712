import { fail, type Runtime, toWorkflowError } from "../../../runtime/index.ts";
import type { Delivery, DeliveryAttempt, Store } from "../../store/store.ts";
import { MAX_ATTEMPTS, retryDelayMs } from "./backoff.ts";
import type { Keyring } from "./keyring.ts";
import { signatureHeaders } from "./signature.ts";

/** What sending needs. */
export interface SendOptions {
  readonly store: Pick<Store, "endAttempt" | "releaseDelivery" | "disableEndpoint" | "findEndpoint">;
  readonly runtime: Pick<Runtime, "outbound">;
  readonly keyring: Keyring;
  /** Milliseconds since the epoch. */
  readonly now: () => number;
}

/** Receivers must answer within this, ms. */
export const TIMEOUT_MS = 15_000;
/** Beginning of the answer that the log keeps, bytes. */
const MAX_ANSWER_BYTES = 1_024;
/** The receiver is gone for good and wants no more. */
const GONE = 410;

type Tried = Pick<DeliveryAttempt, "status" | "error" | "answer"> & {
  readonly askedMs: number | null;
  /** True when the same request would meet the same refusal again. */
  readonly isFinal: boolean;
};

const refused = (error: string): Tried => ({ status: null, error, answer: null, askedMs: null, isFinal: true });

async function post(delivery: Delivery, options: SendOptions, signal: AbortSignal): Promise<Tried> {
  const { runtime, keyring, now } = options;
  const { url, payload: body } = delivery;
  const secrets = await keyring.secretsOf(delivery);
  const headers = { "content-type": "application/json", ...signatureHeaders(delivery, secrets, now()) };
  const asked = { url, headers, body, timeoutMs: TIMEOUT_MS, maxAnswerBytes: MAX_ANSWER_BYTES, signal };
  const { status, text: answer, retryAfterMs: askedMs } = await runtime.outbound.post(asked);
  const isTaken = status >= 200 && status < 300;
  const error = isTaken ? null : `The receiver answered with status ${status}.`;
  return { status, error, answer, askedMs, isFinal: status === GONE };
}

/** Refusals of ours, and what they mean for the delivery; throws STOPPING when the server stops. */
async function attemptOnce(delivery: Delivery, options: SendOptions, signal: AbortSignal): Promise<Tried> {
  const { accountId, endpointId, target } = delivery;
  if (endpointId !== null && endpointId === target) {
    const endpoint = await options.store.findEndpoint({ accountId, endpointId });
    if (endpoint === null) return refused("The endpoint was deleted.");
    if (!endpoint.enabled) return refused("The endpoint is disabled.");
  }
  try {
    return await post(delivery, options, signal);
  } catch (thrown) {
    const error = toWorkflowError(thrown);
    if (error.code === "STOPPING" || error.code === "INTERNAL") throw thrown;
    return { ...refused(error.message), isFinal: error.blame !== "upstream" };
  }
}

async function settle(delivery: Delivery, tried: Tried, at: number, options: SendOptions): Promise<void> {
  const { store, now } = options;
  const { id: deliveryId, accountId, endpointId, target, attempts, attemptsBefore } = delivery;
  const { status, error, answer, askedMs, isFinal } = tried;
  const round = attempts - attemptsBefore;
  const isOver = error === null || isFinal || round >= MAX_ATTEMPTS;
  const ended = now();
  const shared = { deliveryId, attempt: { attempt: attempts, at, durationMs: ended - at, status, error, answer } };
  if (isOver) {
    await store.endAttempt({ ...shared, status: error === null ? "delivered" : "failed", dueAt: null, now: ended });
  } else {
    await store.endAttempt({ ...shared, status: "pending", dueAt: ended + retryDelayMs(round, askedMs), now: ended });
  }
  if (status === GONE && endpointId !== null && endpointId === target) {
    await store.disableEndpoint({
      accountId,
      endpointId,
      reason: "The receiver answered with status 410.",
      now: ended,
    });
  }
}

/** Makes one attempt of a delivery that was claimed, and stores what came of it. */
export async function sendOnce(delivery: Delivery, options: SendOptions, signal: AbortSignal): Promise<void> {
  const { store, now } = options;
  const at = now();
  try {
    await settle(delivery, await attemptOnce(delivery, options, signal), at, options);
  } catch (error) {
    if (!signal.aborted) throw error;
    // Not made: the next process sends it at once.
    await store.releaseDelivery({ deliveryId: delivery.id, attempt: delivery.attempts, now: at });
  }
}

/** The reason that ends attempts under way when the server stops. */
export const stopping = () => fail("STOPPING");
