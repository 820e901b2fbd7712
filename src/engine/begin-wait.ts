import { randomBytes } from "node:crypto";
import { fail, toWorkflowError, type WaitRequest } from "../../runtime/index.ts";
import type { NewWait, WaitStatus } from "../store/store.ts";
import { detailOf, TIMED_OUT } from "./approval-decision.ts";
import type { LiveRun } from "./live-run.ts";
import { LiveWaits } from "./live-waits.ts";
import type { Parts } from "./parts.ts";
import { redactJson } from "./redact.ts";
import { createInputCheck } from "./schema.ts";

type Ask = Extract<WaitRequest, { kind: "ask" }>;
type Wait = Exclude<WaitRequest, Ask>;

const ID_BYTES = 16;

function checkSchema({ schema }: Ask): void {
  if (schema === null) return;
  try {
    createInputCheck(schema);
  } catch (error) {
    const message = `approve: ${toWorkflowError(error).message.replace(/^inputSchema/, "schema")}`;
    throw fail("INVALID_ARGUMENT", { message, field: "schema" }, error);
  }
}

/** Stores the question, without secrets, and returns what the script learns of it. */
async function ask(run: LiveRun, request: Ask, { store, links, limits }: Parts): Promise<string> {
  checkSchema(request);
  const { pos, until, title, description, schema, data, approvers } = request;
  const { hidden } = run.call;
  const shown = redactJson(JSON.stringify({ title, description, schema, data, approvers }), hidden);
  const question = JSON.parse(shown) as Ask;
  const asked = await store.openApproval({
    lease: run.row.start(),
    approval: {
      id: `apr_${randomBytes(ID_BYTES).toString("hex")}`,
      pos,
      title: question.title,
      detail: JSON.stringify(detailOf(question)),
      createdAt: Date.now(),
      until,
    },
    maxOpen: limits.maxWaits,
  });
  return JSON.stringify({ id: asked.id, ...links.of(asked), ...question });
}

/** Names and values that are matched are stored: secrets must not be among them. */
function checkSecrets(run: LiveRun, { name, match }: Extract<Wait, { kind: "event" }>): void {
  const json = JSON.stringify([name, match]);
  if (redactJson(json, run.call.hidden) === json) return;
  throw fail("INVALID_ARGUMENT", {
    message: "waitFor: name or match holds a secret, which is never stored",
    field: "match",
  });
}

function toNewWait(request: Wait): NewWait {
  return request.kind === "event" ? request : { kind: "approval", id: request.id };
}

function answerOf(status: WaitStatus, { kind, until }: Wait): string | null {
  if (status.status === "open") return null;
  if (status.status === "answered") return status.answer;
  return kind === "event" ? "null" : JSON.stringify({ ...TIMED_OUT, at: until });
}

/** Looks in the store how far a wait is; its answer, or null while there is none. */
async function look(run: LiveRun, request: Wait, { store, limits }: Parts): Promise<string | null> {
  const wait = toNewWait(request);
  const params = { lease: run.row.start(), wait, maxOpen: limits.maxWaits, now: Date.now() };
  return answerOf(await store.openWait(params), request);
}

/** Looks again when the wait's time has come: an event may have come just before. */
function lookInTime(run: LiveRun, request: Wait, parts: Parts): void {
  const { pos, until } = request;
  if (until === null) return;
  run.waits?.lookAt(pos, until, () => {
    look(run, request, parts).then(
      (answer) => (answer === null ? lookInTime(run, request, parts) : run.waits?.answerAt(pos, answer)),
      () => run.waits?.drop(pos),
    );
  });
}

/** Begins a wait of a running attempt; its answer if it is there, else null. */
export async function beginWait(run: LiveRun, request: WaitRequest, parts: Parts): Promise<string | null> {
  if (request.kind === "ask") return ask(run, request, parts);
  if (request.kind === "event") checkSecrets(run, request);
  const { pos } = request;
  run.waits ??= new LiveWaits();
  // Opened before the store is asked: an answer that comes meanwhile finds it.
  run.waits.open(pos, request.kind === "event" ? { kind: "event", pos } : { kind: "approval", id: request.id });
  try {
    const answer = await look(run, request, parts);
    if (answer === null) lookInTime(run, request, parts);
    return answer;
  } catch (error) {
    run.waits.drop(pos);
    throw error;
  }
}
