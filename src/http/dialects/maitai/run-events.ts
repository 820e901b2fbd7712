import { setTimeout as pause } from "node:timers/promises";
import { fail } from "../../../../runtime/index.ts";
import type { RunWatch } from "../../../engine/engine.ts";
import type { NewsReader } from "../../../engine/news.ts";
import type { Execution } from "../../../engine/types.ts";
import { hijackSse, lastEventId } from "../../hijack-sse.ts";
import { toExecId } from "../../ids.ts";
import type { SseStream } from "../../sse.ts";
import type { App, DialectDeps, Reply, Request } from "../dialect.ts";
import { RUN_PARAMS, type RunTarget, runTargetOf } from "./run-target.ts";
import { toSpanView } from "./run-trace.ts";
import { toLogView, toRunSummary, versionNumberOf } from "./run-view.ts";

/** Events of a busy run are gathered for this long, ms. */
const GATHER_MS = 50;
const PAGE = 100;
/** Longest value in a span, in UTF-16 units; the trace has the whole. */
const SPAN_CHARS = 4_096;
const QUIET_MS = 60_000;
const ID = /^(\d{1,9})-(\d{1,9})-(\d{1,9})$/;
const ENDED: ReadonlySet<string> = new Set(["completed", "failed", "cancelled"]);

const querystring = {
  type: "object",
  additionalProperties: false,
  properties: { last_event_id: { type: "string", description: "As the header `Last-Event-ID`" } },
};

/** How much of a run a reader has seen. */
interface Seen {
  logs: number;
  spans: number;
  chunks: number;
  /** Null before the first event of status: everyone begins with one. */
  status: string | null;
}

function seenOf(request: Request): Seen {
  const id = lastEventId(request);
  const [, logs, spans, chunks] = ID.exec(id ?? "0-0-0") ?? [];
  if (logs !== undefined) return { logs: Number(logs), spans: Number(spans), chunks: Number(chunks), status: null };
  const message = `Last-Event-ID: is not one that this stream gave, got ${JSON.stringify(id?.slice(0, 100))}`;
  throw fail("INVALID_REQUEST", { message, param: "Last-Event-ID" });
}

function send(sse: SseStream, seen: Seen, event: string, data: unknown): void {
  sse.write(`id: ${seen.logs}-${seen.spans}-${seen.chunks}\nevent: ${event}\ndata: ${JSON.stringify(data)}\n\n`);
}

/** Sends the logs and spans that are new; true when there may be more. */
async function sendRecords(deps: DialectDeps, target: RunTarget, sse: SseStream, seen: Seen): Promise<boolean> {
  const logs = await deps.engine.readLogs({ ...target, from: seen.logs, limit: PAGE });
  for (const line of logs) {
    seen.logs = line.index + 1;
    send(sse, seen, "log", toLogView(line));
  }
  const trace = await deps.engine.readTrace({ ...target, from: seen.spans, limit: PAGE, maxChars: SPAN_CHARS });
  for (const span of trace.spans) {
    seen.spans = span.seq + 1;
    send(sse, seen, "span", toSpanView(span));
  }
  return logs.length === PAGE || trace.next !== null;
}

function sendChunks(run: Execution, sse: SseStream, seen: Seen): void {
  if (run.chunkCount <= seen.chunks) return;
  seen.chunks = run.chunkCount;
  send(sse, seen, "chunks", { count: run.chunkCount });
}

async function pumpRun(deps: DialectDeps, target: RunTarget, reader: { sse: SseStream; watch: RunWatch; seen: Seen }) {
  const { sse, watch, seen } = reader;
  while (!sse.isClosed()) {
    await sse.room();
    // Before the records: what was there at the end is then certain to be read.
    const run = await watch.run();
    if (await sendRecords(deps, target, sse, seen)) continue;
    sendChunks(run, sse, seen);
    const { status } = run.state;
    if (status !== seen.status) send(sse, seen, "status", toRunSummary(run, await versionNumberOf(deps, run)));
    seen.status = status;
    if (ENDED.has(status)) return sse.end();
    await watch.changed();
    await pause(GATHER_MS);
  }
}

async function pumpNews(sse: SseStream, news: NewsReader): Promise<void> {
  // An id without data: a reader that has got nothing yet can come back, too.
  let isFirst = true;
  while (!sse.isClosed()) {
    await sse.room();
    const { items, missed, last } = news.read();
    if (isFirst && items.length === 0) sse.write(`id: ${last}\n\n`);
    isFirst = false;
    if (missed) sse.write(`id: ${last}\nevent: reset\ndata: {"reason":"events were missed: read the list anew"}\n\n`);
    for (const { id, executionId, ref, status, at } of missed ? [] : items) {
      const data = { id: toExecId(executionId), workflow_ref_name: ref, status, at: at / 1_000 };
      sse.write(`id: ${id}\nevent: status\ndata: ${JSON.stringify(data)}\n\n`);
    }
    await news.rung(QUIET_MS);
  }
}

function registerOfRun(app: App, deps: DialectDeps): void {
  const description =
    "Server-sent events: `status` with the run's summary (first, and whenever it changes), `log`, `span` (values are cut to 4096 characters) and `chunks` (how many there are). Ends after the final status. With `Last-Event-ID` it goes on from there.";
  const schema = { tags: ["runs"], summary: "Live updates of a run", description, params: RUN_PARAMS, querystring };
  app.get("/api/v1/runs/:id/events", { schema }, async (request: Request, reply: Reply) => {
    const seen = seenOf(request);
    const target = runTargetOf(deps, request);
    const watch = await deps.engine.watchRun(target);
    const sse = hijackSse(reply, {});
    sse.onGone(() => watch.close());
    pumpRun(deps, target, { sse, watch, seen })
      .catch(() => sse.abort())
      .finally(() => watch.close());
    return reply;
  });
}

/** Live updates: of one run, and of all runs of the account. */
export function registerRunEvents(app: App, deps: DialectDeps): void {
  registerOfRun(app, deps);
  const description =
    "Server-sent events `status` for every change of status of any run of the account, from now on. A reader that comes back with `Last-Event-ID` gets what it missed; `reset` when that is no longer known.";
  const schema = { tags: ["runs"], summary: "Changes of all runs", description, querystring };
  app.get("/api/v1/runs/events", { schema }, async (request: Request, reply: Reply) => {
    const news = deps.engine.followNews({ accountId: deps.account(request).id, lastId: lastEventId(request) });
    const sse = hijackSse(reply, {});
    sse.onGone(() => news.close());
    pumpNews(sse, news)
      .catch(() => sse.abort())
      .finally(() => news.close());
    return reply;
  });
}
