import type { Excerpt, OpenSpan, OpMeter, TraceEntry, TracePage } from "../../../engine/run-detail.ts";
import { toExecId } from "../../ids.ts";
import type { App, DialectDeps } from "../dialect.ts";
import { RUN_PARAMS, runTargetOf } from "./run-target.ts";

const MAX_SPANS = 1_000;
const DEFAULT_SPANS = 200;
const MAX_BYTES = 1_048_576;
const DEFAULT_BYTES = 16_384;

const querystring = {
  type: "object",
  additionalProperties: false,
  properties: {
    from: { type: "string", pattern: "^\\d{1,9}$", description: "`next_from` of the page before, default 0" },
    limit: { type: "string", pattern: "^[1-9]\\d{0,3}$", description: `Up to ${MAX_SPANS}; default ${DEFAULT_SPANS}` },
    max_bytes: {
      type: "string",
      pattern: "^\\d{1,8}$",
      description: `Longest JSON text of one value, in characters, up to ${MAX_BYTES}; default ${DEFAULT_BYTES}. A longer one is given as the beginning of its text and named in \`cut\` with its length`,
    },
  },
};

const description =
  "One span per ctx call that has ended, in that order, and at the end those under way as far as they are known (nested workflows). Times are seconds since the epoch. Calls without an outside effect (accessories, crypto.subtle, timers) are there only when something that had to be recorded came after them, without arguments and times.";

/** Headers in JSON text, of which the end may be missing, and one of them. */
const HEADERS = /"headers":\{(?:"(?:[^"\\]|\\.)*"[:,]?)*(?:"(?:[^"\\]|\\.)*\\?$)?/g;
const HEADER = /("(?:[^"\\]|\\.)*"):"(?:[^"\\]|\\.)*(?:"|\\?$)/g;

const hideIn = (text: string): string =>
  text.replaceAll(HEADERS, (part) => `"headers":${part.slice(10).replaceAll(HEADER, '$1:"[hidden]"')}`);

/** The definition of an agent, without the values of its tools' headers: they may be credentials. */
const withoutHeaders = ({ text, length }: Excerpt): Excerpt => {
  const hidden = hideIn(text);
  return { text: hidden, length: text.length < length ? Math.max(length, hidden.length + 1) : hidden.length };
};

/** Values of a span, and the lengths of those that were cut. */
class Values {
  readonly cut: Record<string, number> = {};

  /** The value, or the beginning of its text when that is all there is. */
  show(name: string, excerpt: Excerpt | null): unknown {
    if (excerpt === null) return null;
    if (excerpt.text.length >= excerpt.length) return JSON.parse(excerpt.text);
    this.cut[name] = excerpt.length;
    return excerpt.text;
  }
}

function costsOf(meter: OpMeter | null): Record<string, unknown> {
  return {
    started_at: meter === null ? null : meter.startedAt / 1_000,
    duration_ms: meter?.durationMs ?? null,
    attempts: meter?.attempts ?? null,
    model: meter?.model ?? null,
    usage: {
      prompt_tokens: meter?.promptTokens ?? 0,
      completion_tokens: meter?.completionTokens ?? 0,
      total_tokens: (meter?.promptTokens ?? 0) + (meter?.completionTokens ?? 0),
      cost_usd: meter?.costUsd ?? 0,
    },
  };
}

/** A finished ctx call as the API shows it. `node_id`: the graph's node that it was made for; null for calls of no node. */
export function toSpanView({ seq, pos, op, kind, at, args, payload, meter, childId }: TraceEntry): object {
  const values = new Values();
  return {
    index: seq,
    position: pos,
    name: op,
    status: kind === "error" ? "failed" : "completed",
    arguments: values.show("arguments", args),
    result:
      kind === "error"
        ? null
        : values.show("result", op === "agents.load" ? payload && withoutHeaders(payload) : payload),
    error: kind === "error" ? values.show("error", payload) : null,
    ...costsOf(meter),
    delivered_at: at / 1_000,
    node_id: meter?.node ?? null,
    child_run: childId === null ? null : toExecId(childId),
    cut: values.cut,
  };
}

function toOpenView({ pos, op, startedAt, childId }: OpenSpan): object {
  return {
    index: null,
    position: pos,
    name: op,
    status: "running",
    arguments: null,
    result: null,
    error: null,
    ...costsOf(null),
    started_at: startedAt / 1_000,
    delivered_at: null,
    node_id: null,
    child_run: childId === null ? null : toExecId(childId),
    cut: {},
  };
}

/** A part of a trace as the API shows it. */
export function toTraceView({ spans, open, next }: TracePage): object {
  return { data: [...spans.map(toSpanView), ...open.map(toOpenView)], pagination: { next_from: next } };
}

/** The trace of a run. */
export function registerTrace(app: App, deps: DialectDeps): void {
  const schema = { tags: ["runs"], summary: "What a run called", description, params: RUN_PARAMS, querystring };
  app.get("/api/v1/runs/:id/trace", { schema }, async (request) => {
    const query = request.query as { readonly from?: string; readonly limit?: string; readonly max_bytes?: string };
    const page = await deps.engine.readTrace({
      ...runTargetOf(deps, request),
      from: Number(query.from ?? 0),
      limit: Math.min(MAX_SPANS, Number(query.limit ?? DEFAULT_SPANS)),
      maxChars: Math.min(MAX_BYTES, Number(query.max_bytes ?? DEFAULT_BYTES)),
    });
    return toTraceView(page);
  });
}
