import { randomBytes } from "node:crypto";
import { fail } from "../../runtime/index.ts";
import type { Approval, LiveAnswer, Sending } from "../store/store.ts";
import { type ApprovalDetail, toDecision } from "./approval-decision.ts";
import type { Parts } from "./parts.ts";
import type { EventRequest, ShownApproval, WaitingService } from "./waiting.ts";

/** Ids of events are remembered this long, ms. */
const ID_MS = 86_400_000;
/** Waits that one transaction looks at, so that an event for very many does not hold others up. */
const PORTION = 500;
const PRUNE_MS = 60_000;
const PRUNE_ROWS = 500;
const MAX_NAME = 200;
const MAX_ID = 200;
const ID_BYTES = 16;

/** The service, and what the engine's start and stop do with it. */
export interface StartedWaiting extends WaitingService {
  /** Goes on with events that an earlier process left half sent. */
  start(): Promise<void>;
  close(): void;
}

function checkText(param: string, text: string, max: number): void {
  if (text === "") throw fail("INVALID_REQUEST", { message: `${param}: must not be empty`, param });
  if (text.length <= max) return;
  throw fail("INVALID_REQUEST", { message: `${param}: ${text.length} characters, over ${max}`, param });
}

function dataText(data: unknown, maxBytes: number): string {
  const text = JSON.stringify(data ?? null);
  const bytes = Buffer.byteLength(text);
  if (bytes <= maxBytes) return text;
  const message = `data: ${bytes} bytes, over ${maxBytes} (maxEventBytes)`;
  throw fail("PAYLOAD_TOO_LARGE", { message, limit: "maxEventBytes", value: bytes, param: "data" });
}

function keepUntil({ ttlMs, executionId }: EventRequest, at: number): number | null {
  if (ttlMs === null) return executionId === null ? at : null;
  return at + ttlMs;
}

/** Why a question cannot be decided any more. */
function closedError({ status, decision }: Approval): Error {
  const { by, approved } = JSON.parse(decision ?? "{}") as { readonly by?: string; readonly approved?: boolean };
  const message = {
    decided: `It was ${approved === true ? "approved" : "rejected"} by ${by} already.`,
    expired: "Its time is over.",
    over: "Its run is over.",
    open: "Someone else is deciding it.",
  }[status];
  return fail("CONFLICT", { message, code: `approval_${status}` });
}

/** Hands answers to the executions that run in this process. */
function handOut(answers: readonly LiveAnswer[], { live }: Parts): void {
  for (const { executionId, wait, answer } of answers) live.get(executionId)?.waits?.answer(wait, answer);
}

type Finish = (key: string, sending: Sending) => Promise<number>;

/** Makes the function that sends the rest of an event, after all earlier ones of the same key. */
function createFinish(parts: Parts): Finish {
  const { store, claims } = parts;
  const chains = new Map<string, Promise<unknown>>();
  const finish = async ({ event, reached: before }: Sending): Promise<number> => {
    for (let reached = before; ; ) {
      const sending = await store.continueEvent({ event, max: PORTION, now: Date.now() });
      if (sending === null) return reached;
      handOut(sending.live, parts);
      claims.wake();
      reached = sending.reached;
      if (sending.done) return reached;
    }
  };
  return async (key, sending) => {
    const before = chains.get(key) ?? Promise.resolve();
    const next = before.catch(() => undefined).then(() => finish(sending));
    chains.set(key, next);
    try {
      return await next;
    } finally {
      if (chains.get(key) === next) chains.delete(key);
    }
  };
}

function createSend(parts: Parts, finish: Finish): WaitingService["send"] {
  const { store, limits, claims } = parts;
  return async (request) => {
    const { accountId, name, executionId } = request;
    checkText("name", name, MAX_NAME);
    if (request.id !== null) checkText("id", request.id, MAX_ID);
    const at = Date.now();
    const id = request.id ?? `evt_${randomBytes(ID_BYTES).toString("hex")}`;
    const data = dataText(request.data, limits.maxEventBytes);
    const event = { accountId, name, id, data, executionId, at, keepUntil: keepUntil(request, at) };
    const idUntil = request.id === null ? null : at + ID_MS;
    const sending = await store.sendEvent({ event, idUntil, max: PORTION, maxKept: limits.maxKeptEvents });
    handOut(sending.live, parts);
    if (sending.reached > 0) claims.wake();
    const reached = sending.done ? sending.reached : await finish(`${accountId}\n${name}`, sending);
    return { id, at: sending.at, reached, repeated: sending.repeated };
  };
}

function createApprovals(parts: Parts): Omit<WaitingService, "send"> {
  const { store, links, claims, limits } = parts;
  const show = (approval: Approval): ShownApproval => {
    const { link, expires_at: expiresAt } = links.of(approval);
    return { ...approval, link: approval.status === "open" && expiresAt > Date.now() ? link : null };
  };
  const find = async (accountId: string | null, approvalId: string): Promise<ShownApproval | null> => {
    const found = await store.findApproval({ accountId, approvalId, now: Date.now() });
    return found === null ? null : show(found);
  };
  return {
    async waitsOf(params) {
      const waits = await store.listWaits(params);
      return waits.map((wait) => {
        const id = wait.approvalId;
        return { ...wait, link: id === null ? null : links.of({ id, createdAt: wait.since, until: wait.until }).link };
      });
    },
    async approvals(params) {
      const { items, total } = await store.listApprovals({ ...params, now: Date.now() });
      return { items: items.map(show), total };
    },
    async approval({ accountId, approvalId }) {
      const found = await find(accountId, approvalId);
      if (found !== null) return found;
      throw fail("NOT_FOUND", { message: `Approval not found: ${approvalId}` });
    },
    async approvalOfLink(token) {
      const target = links.read(token, Date.now());
      if (target === null || target === "expired") return target ?? "unknown";
      return (await find(null, target.id)) ?? "expired";
    },
    async decide(approval, verdict) {
      const { accountId, id: approvalId, detail } = approval;
      if (approval.status !== "open") throw closedError(approval);
      const now = Date.now();
      const parsed = JSON.parse(detail) as ApprovalDetail;
      const decision = toDecision(parsed, verdict, { maxBytes: limits.maxEventBytes, now });
      const decided = await store.decideApproval({ accountId, approvalId, decision: JSON.stringify(decision), now });
      const after = await find(accountId, approvalId);
      if (decided === null) throw closedError(after ?? { ...approval, status: "over" });
      if (decided.live !== null) handOut([decided.live], parts);
      claims.wake();
      return after ?? approval;
    },
  };
}

/** Makes the service for events and questions. */
export function createWaiting(parts: Parts): StartedWaiting {
  const { store, report } = parts;
  const finish = createFinish(parts);
  const prune = async () => {
    while ((await store.pruneEvents({ now: Date.now(), max: PRUNE_ROWS })) >= PRUNE_ROWS);
  };
  let timer: NodeJS.Timeout | undefined;
  return {
    send: createSend(parts, finish),
    ...createApprovals(parts),
    async start() {
      timer = setInterval(() => prune().catch(report), PRUNE_MS).unref();
      for (const { event, accountId, name } of await store.unfinishedEvents()) {
        const sending = { event, id: "", at: 0, reached: 0, live: [], done: false, repeated: false };
        finish(`${accountId}\n${name}`, sending).catch(report);
      }
    },
    close: () => clearInterval(timer),
  };
}
