import { randomUUID } from "node:crypto";
import type { Delivery, Execution, Store, WebhookEvent } from "../../store/store.ts";
import { type ShowRun, toEventType, toPayload } from "./message.ts";
import { type SendOptions, sendOnce, stopping, TIMEOUT_MS } from "./send.ts";

/** What the dispatcher needs. */
export interface DispatcherOptions extends SendOptions {
  readonly store: SendOptions["store"] &
    Pick<
      Store,
      | "webhookEvents"
      | "webhookTargets"
      | "addDeliveries"
      | "dueTargets"
      | "claimDeliveries"
      | "pruneDeliveries"
      | "dropOrphanedWebhooks"
      | "findExecution"
      | "findVersion"
    >;
  readonly showRun: ShowRun;
  readonly report: (error: unknown) => void;
}

/** Makes events into deliveries and sends those that are due. */
export interface Dispatcher {
  start(): void;
  /** Looks soon. */
  wake(): void;
  /** Stops; attempts under way are given up and made again by the next process. */
  stop(): Promise<void>;
}

/** How often the store is asked, ms. */
const LOOK_MS = 200;
/** Events made into deliveries together: each may hold a run with its whole output in memory. */
const EVENTS = 16;
const MAX_SENDING = 128;
const MAX_SENDING_PER_TARGET = 4;
const TARGETS = 64;
/** A delivery whose server died is sent again after this, ms. */
const LEASE_MS = TIMEOUT_MS * 3;
/** How long deliveries that ended are kept in the log, ms. */
const RETENTION_MS = 7 * 86_400_000;
const PRUNE_EVERY_MS = 60_000;
const PRUNED = 500;

/** The message of an event, or null when it cannot be written: a run that nobody can show must not hold up the events behind it. */
async function messageOf(
  event: WebhookEvent,
  execution: Execution,
  { store, showRun, report }: DispatcherOptions,
): Promise<string | null> {
  const { accountId, versionId } = execution;
  const version = await store.findVersion({ accountId, versionId });
  try {
    return toPayload(event, execution, showRun(execution, version?.number ?? null));
  } catch (error) {
    report(error);
    return null;
  }
}

async function tellOne(event: WebhookEvent, options: DispatcherOptions): Promise<void> {
  const { store, now } = options;
  const { accountId, executionId, status } = event;
  const execution = await store.findExecution({ accountId, executionId });
  const targets = execution === null ? [] : await store.webhookTargets({ event, workflowId: execution.workflowId });
  const isAsked = execution !== null && targets.length > 0;
  const payload = isAsked ? await messageOf(event, execution, options) : null;
  if (payload === null) return store.addDeliveries({ event, deliveries: [], now: now() });
  const deliveries = targets.map((target) => ({
    ...target,
    id: `msg_${randomUUID().replaceAll("-", "")}`,
    type: toEventType(status),
    payload,
  }));
  return store.addDeliveries({ event, deliveries, now: now() });
}

class LoopingDispatcher implements Dispatcher {
  readonly #options: DispatcherOptions;
  readonly #sending = new Map<string, number>();
  readonly #underWay = new Set<Promise<void>>();
  readonly #ending = new AbortController();
  #total = 0;
  #cursor = "";
  #prunedAt = 0;
  #timer: NodeJS.Timeout | null = null;
  #busy: Promise<void> | null = null;
  #again = false;

  constructor(options: DispatcherOptions) {
    this.#options = options;
  }

  start(): void {
    this.#options.store.dropOrphanedWebhooks().catch(this.#options.report);
    this.wake();
  }

  wake(): void {
    if (this.#ending.signal.aborted) return;
    this.#again = true;
    if (this.#busy !== null) return;
    if (this.#timer !== null) clearTimeout(this.#timer);
    this.#busy = this.#run();
  }

  async stop(): Promise<void> {
    this.#ending.abort(stopping());
    if (this.#timer !== null) clearTimeout(this.#timer);
    await this.#busy;
    await Promise.all(this.#underWay);
  }

  async #run(): Promise<void> {
    try {
      while (this.#again && !this.#ending.signal.aborted) {
        this.#again = false;
        await this.#tell();
        await this.#send();
        await this.#prune();
      }
    } catch (error) {
      this.#options.report(error);
    }
    this.#busy = null;
    if (!this.#ending.signal.aborted) this.#timer = setTimeout(() => this.wake(), LOOK_MS).unref();
  }

  async #tell(): Promise<void> {
    for (;;) {
      const events = await this.#options.store.webhookEvents({ max: EVENTS });
      await Promise.all(events.map((event) => tellOne(event, this.#options)));
      if (events.length < EVENTS || this.#ending.signal.aborted) return;
    }
  }

  /** Takes a few deliveries of each target in turn, so that none holds up the others. */
  async #send(): Promise<void> {
    const { store, now } = this.#options;
    if (this.#total >= MAX_SENDING) return;
    const { targets, next } = await store.dueTargets({ now: now(), after: this.#cursor, max: TARGETS });
    for (const target of targets) {
      const own = MAX_SENDING_PER_TARGET - (this.#sending.get(target) ?? 0);
      const max = Math.min(own, MAX_SENDING - this.#total);
      if (max <= 0) continue;
      const claimed = await store.claimDeliveries({ target, now: now(), max, leaseMs: LEASE_MS });
      for (const delivery of claimed) this.#begin(delivery);
    }
    this.#cursor = next ?? "";
    if (next !== null) this.#again = true;
  }

  #begin(delivery: Delivery): void {
    const { target } = delivery;
    this.#total++;
    this.#sending.set(target, (this.#sending.get(target) ?? 0) + 1);
    const done = sendOnce(delivery, this.#options, this.#ending.signal)
      .catch(this.#options.report)
      .then(() => {
        this.#underWay.delete(done);
        this.#total--;
        const left = (this.#sending.get(target) ?? 1) - 1;
        if (left === 0) this.#sending.delete(target);
        else this.#sending.set(target, left);
        this.wake();
      });
    this.#underWay.add(done);
  }

  async #prune(): Promise<void> {
    const { store, now } = this.#options;
    // Read once: the clock goes on while the store works, and what ends meanwhile is for the next time.
    const at = now();
    if (at - this.#prunedAt < PRUNE_EVERY_MS) return;
    const removed = await store.pruneDeliveries({ before: at - RETENTION_MS, max: PRUNED });
    if (removed < PRUNED) this.#prunedAt = at;
    else this.#again = true;
  }
}

/** Makes the dispatcher of one server; it does nothing until it is started. */
export const createDispatcher = (options: DispatcherOptions): Dispatcher => new LoopingDispatcher(options);
