import type { ApprovalDetail, Decision } from "../../../engine/approval-decision.ts";
import type { Caller } from "../../../engine/types.ts";
import type { ShownApproval } from "../../../engine/waiting.ts";
import { toExecId } from "../../ids.ts";
import type { App, DialectDeps } from "../dialect.ts";
import { PAGE_SCHEMA, type PageQuery, pageOf } from "./paging.ts";

interface DecisionBody {
  readonly approved: boolean;
  readonly data?: unknown;
  readonly comment?: string | null;
}

const BASE = "/api/v1/approvals";
const tags = ["runs"];
const params = { type: "object", properties: { id: { type: "string", description: "`apr_<32 hex digits>`" } } };

const DECISION_SCHEMA = {
  type: "object",
  required: ["approved"],
  additionalProperties: false,
  properties: {
    approved: { type: "boolean" },
    data: { description: "What the script asked for; an approval's is checked against its schema" },
    comment: { type: ["string", "null"] },
  },
} as const;

/** A question as the API shows it. Times are seconds since the epoch. */
export function toApprovalView(approval: ShownApproval): Record<string, unknown> {
  const { id, status, executionId, ref, title, link, createdAt, until } = approval;
  const { description, schema, data, approvers } = JSON.parse(approval.detail) as ApprovalDetail;
  const decision = approval.decision === null ? null : (JSON.parse(approval.decision) as Decision);
  return {
    id,
    object: "approval",
    status,
    run: toExecId(executionId),
    workflow_ref_name: ref,
    title,
    description,
    data,
    schema,
    approvers,
    link,
    created_at: createdAt / 1_000,
    expires_at: until === null ? null : until / 1_000,
    decision: decision === null ? null : { ...decision, at: decision.at / 1_000 },
  };
}

const nameOf = ({ key }: Caller): string => `${key.name} (${key.prefix}…)`;

/** Questions of scripts to people: listed and decided with a key. */
export function registerApprovals(app: App, deps: DialectDeps): void {
  const { waiting } = deps;
  app.get(
    BASE,
    { schema: { tags, summary: "Questions that wait for a decision, oldest first", querystring: PAGE_SCHEMA } },
    async (request) => {
      const page = pageOf(request.query as PageQuery);
      const { items, total } = await waiting.approvals({ accountId: deps.account(request).id, ...page });
      return { data: items.map(toApprovalView), pagination: { total, ...page } };
    },
  );
  app.get(`${BASE}/:id`, { schema: { tags, summary: "One question", params } }, async (request) => {
    const { id: approvalId } = request.params as { readonly id: string };
    const approval = await waiting.approval({ accountId: deps.account(request).id, approvalId });
    return { data: toApprovalView(approval) };
  });
  app.post(
    `${BASE}/:id`,
    { schema: { tags, summary: "Decide a question; once", params, body: DECISION_SCHEMA } },
    async (request) => {
      const caller = deps.account(request);
      const { id: approvalId } = request.params as { readonly id: string };
      const { approved, data = null, comment = null } = request.body as DecisionBody;
      const approval = await waiting.approval({ accountId: caller.id, approvalId });
      const verdict = { approved, data, comment, by: nameOf(caller), via: "api", address: request.ip } as const;
      return { data: toApprovalView(await waiting.decide(approval, verdict)) };
    },
  );
}
