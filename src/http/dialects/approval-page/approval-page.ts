import { fail, fromRecord, toWorkflowError } from "../../../../runtime/index.ts";
import type { Verdict } from "../../../engine/approval-decision.ts";
import type { ShownApproval } from "../../../engine/waiting.ts";
import { isTooDeep, MAX_DEPTH } from "../../json-body.ts";
import type { App, Dialect, DialectDeps, Reply, Request } from "../dialect.ts";
import { toApprovalView } from "../maitai/approvals.ts";
import { ERROR_SCHEMA, toError } from "../maitai/errors.ts";
import { CONTENT_SECURITY_POLICY } from "./html.ts";
import {
  type Entered,
  enteredData,
  enteredName,
  toClosedPage,
  toDecidedPage,
  toQuestionPage,
} from "./question-page.ts";

interface JsonVerdict {
  readonly approved: boolean;
  readonly name: string;
  readonly comment?: string | null;
  readonly data?: unknown;
}

const FORM = "application/x-www-form-urlencoded";
const params = {
  type: "object",
  properties: { token: { type: "string", description: "The signed part of the link" } },
};
const BODY = {
  content: {
    "application/json": {
      schema: {
        type: "object",
        required: ["approved", "name"],
        additionalProperties: false,
        properties: {
          approved: { type: "boolean" },
          name: { type: "string", description: "Who decides" },
          comment: { type: ["string", "null"] },
          data: { description: "What the script asked for" },
        },
      },
    },
    [FORM]: {
      schema: {
        type: "object",
        required: ["decision"],
        additionalProperties: { type: "string" },
        properties: { decision: { enum: ["approve", "reject"] }, name: { type: "string" } },
      },
    },
  },
} as const;

const isForm = ({ headers }: Request): boolean => headers["content-type"]?.startsWith(FORM) === true;

function page(reply: Reply, status: number, html: string): Reply {
  return reply
    .code(status)
    .headers({ "content-type": "text/html; charset=utf-8", "content-security-policy": CONTENT_SECURITY_POLICY })
    .send(html);
}

/** The open or decided question of the link; NOT_FOUND, or CONFLICT with status 410 when the link has expired. */
async function questionOf({ waiting }: DialectDeps, request: Request): Promise<ShownApproval> {
  const { token } = request.params as { readonly token: string };
  const target = await waiting.approvalOfLink(token);
  if (target === "unknown") throw fail("NOT_FOUND", { message: "This link is not valid." });
  if (target !== "expired") return target;
  const details = { code: "approval_expired" };
  throw fromRecord({ code: "CONFLICT", message: "This link has expired.", details, status: 410 });
}

function ofForm(approval: ShownApproval, entered: Entered, address: string): Verdict {
  const approved = entered["decision"] === "approve";
  const data = approved ? enteredData(approval, entered) : null;
  if (data === undefined) throw fail("INVALID_REQUEST", { message: "data: is not JSON", param: "data" });
  if (isTooDeep(data))
    throw fail("INVALID_REQUEST", { message: `data: is nested over ${MAX_DEPTH} levels deep`, param: "data" });
  return {
    approved,
    data,
    comment: entered["comment"] ?? null,
    by: enteredName(approval, entered),
    via: "link",
    address,
  };
}

async function decideByForm(deps: DialectDeps, request: Request, reply: Reply): Promise<Reply> {
  const entered = request.body as Entered;
  let approval: ShownApproval | null = null;
  try {
    approval = await questionOf(deps, request);
    const decided = await deps.waiting.decide(approval, ofForm(approval, entered, request.ip));
    return page(reply, 200, toDecidedPage(decided));
  } catch (thrown) {
    const { code, status, message } = toWorkflowError(thrown);
    if (code === "INTERNAL") throw thrown;
    const isOpen = approval !== null && approval.status === "open" && code !== "CONFLICT";
    const html = isOpen && approval !== null ? toQuestionPage(approval, entered, message) : null;
    return page(reply, status, html ?? toClosedPage("Nothing to decide", message));
  }
}

async function decideByJson(deps: DialectDeps, request: Request): Promise<object> {
  const { approved, name, comment = null, data = null } = request.body as JsonVerdict;
  const verdict = { approved, data, comment, by: name, via: "link", address: request.ip } as const;
  return { data: toApprovalView(await deps.waiting.decide(await questionOf(deps, request), verdict)) };
}

async function show(deps: DialectDeps, request: Request, reply: Reply): Promise<Reply> {
  try {
    const approval = await questionOf(deps, request);
    if (approval.status === "open") return page(reply, 200, toQuestionPage(approval, {}, null));
    if (approval.status === "decided") return page(reply, 409, toDecidedPage(approval));
    const why = approval.status === "over" ? "Its run is over." : "Its time is over.";
    return page(reply, 410, toClosedPage(approval.title, why));
  } catch (thrown) {
    const { code, status, message } = toWorkflowError(thrown);
    if (code === "INTERNAL") throw thrown;
    return page(reply, status, toClosedPage("Nothing to decide", message));
  }
}

function register(app: App, deps: DialectDeps): void {
  app.addContentTypeParser(FORM, { parseAs: "string" }, (_request, body, done) => {
    done(null, Object.fromEntries(new URLSearchParams(String(body))));
  });
  const config = { public: true };
  const tags = ["runs"];
  app.get(
    "/approve/:token",
    { config, schema: { tags, summary: "The page of a question, for the holder of its link", params, security: [] } },
    (request, reply) => show(deps, request, reply),
  );
  app.post(
    "/approve/:token",
    {
      config,
      schema: { tags, summary: "Decide a question by its link; once", params, body: BODY, security: [] },
      // A body is read only for those who have a link.
      onRequest: async (request) => {
        const { token } = request.params as { readonly token: string };
        if ((await deps.waiting.approvalOfLink(token)) === "unknown") await questionOf(deps, request);
      },
      // Of a body of another kind, or of none, no schema is asked.
      preValidation: async ({ body }) => {
        if (typeof body === "object" && body !== null) return;
        throw fail("INVALID_REQUEST", { message: "The body must be a form or a JSON object.", param: "body" });
      },
    },
    (request, reply) => (isForm(request) ? decideByForm(deps, request, reply) : decideByJson(deps, request)),
  );
}

/** The page where the holder of a one-time link decides a question; no key is needed. */
export const approvalPage: Dialect = {
  name: "approval-page",
  prefixes: ["/approve/"],
  toError,
  errorSchema: ERROR_SCHEMA,
  register(app, deps) {
    // Forms are understood here only.
    app.register(async (scope) => register(scope as App, deps));
  },
};
