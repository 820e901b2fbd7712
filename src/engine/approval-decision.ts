import { type ApprovalQuestion, fail, toWorkflowError } from "../../runtime/index.ts";
import { createInputCheck } from "./schema.ts";

/** What a stored question holds besides its title. */
export type ApprovalDetail = Omit<ApprovalQuestion, "title">;

/** A decision as scripts get it. */
export interface Decision {
  readonly approved: boolean;
  readonly data: unknown;
  /** Who decided: the name given with the link, or the API key's; null when nobody did in time. */
  readonly by: string | null;
  /** Milliseconds since the epoch. */
  readonly at: number;
  readonly comment: string | null;
  readonly timed_out: boolean;
  readonly via: "link" | "api" | null;
  /** Address that the decision came from. */
  readonly address: string | null;
}

/** What someone decides. */
export interface Verdict {
  readonly approved: boolean;
  readonly data: unknown;
  readonly comment: string | null;
  readonly by: string;
  readonly via: "link" | "api";
  readonly address: string;
}

/** The decision that a script gets when nobody decided in time, but for its time. */
export const TIMED_OUT = {
  approved: false,
  data: null,
  by: null,
  comment: null,
  timed_out: true,
  via: null,
  address: null,
} as const;

/** Longest comment and name, characters. */
const MAX_COMMENT = 4_000;
const MAX_NAME = 200;

/** The part of a question that is stored as its detail. */
export const detailOf = ({ description, schema, data, approvers }: ApprovalDetail): ApprovalDetail => ({
  description,
  schema,
  data,
  approvers,
});

const invalid = (param: string, why: string, details = {}) =>
  fail("INVALID_REQUEST", { message: `${param}: ${why}`, param, ...details });

function checkLength(param: string, text: string, max: number): void {
  if (text.length > max) throw invalid(param, `${text.length} characters, over ${max}`);
}

function checkData({ schema }: ApprovalDetail, data: unknown, maxBytes: number): void {
  const bytes = Buffer.byteLength(JSON.stringify(data));
  if (bytes > maxBytes) {
    const message = `data: ${bytes} bytes, over ${maxBytes} (maxEventBytes)`;
    throw fail("PAYLOAD_TOO_LARGE", { message, limit: "maxEventBytes", value: bytes, param: "data" });
  }
  if (schema === null) return;
  try {
    createInputCheck(schema)?.(data);
  } catch (error) {
    const { code, message, details } = toWorkflowError(error);
    if (code !== "VALIDATION_ERROR") throw error;
    throw fail(code, { ...details, message: message.replace(/^input/, "data") }, error);
  }
}

/** The decision that a verdict on a question makes; throws INVALID_REQUEST, PAYLOAD_TOO_LARGE or VALIDATION_ERROR naming the field. */
export function toDecision(
  detail: ApprovalDetail,
  verdict: Verdict,
  facts: { maxBytes: number; now: number },
): Decision {
  const { approved, comment, by, via, address } = verdict;
  if (by.trim() === "") throw invalid("name", "must not be empty");
  checkLength("name", by, MAX_NAME);
  checkLength("comment", comment ?? "", MAX_COMMENT);
  const { approvers } = detail;
  if (via === "link" && approvers.length > 0 && !approvers.includes(by)) {
    throw invalid("name", `must be one of ${approvers.join(", ")}, got ${JSON.stringify(by)}`);
  }
  const data = verdict.data ?? null;
  // Whoever refuses need not fill in what an approval needs.
  if (approved) checkData(detail, data, facts.maxBytes);
  const kept = approved ? data : null;
  return { approved, data: kept, by, at: facts.now, comment: comment || null, timed_out: false, via, address };
}
