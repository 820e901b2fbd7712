import type { ApprovalDetail, Decision } from "../../../engine/approval-decision.ts";
import type { ShownApproval } from "../../../engine/waiting.ts";
import { type FormField, toFormData, toFormFields } from "./form-fields.ts";
import { type Html, html, toControl, toPage } from "./html.ts";

/** What was entered, by the names of the controls. */
export type Entered = Readonly<Record<string, string | undefined>>;

const FIELD = "field.";

const text = (key: string, label: string, required: boolean): FormField => ({
  key,
  label,
  hint: "",
  type: "string",
  choices: [],
  required,
});

function dataControls({ schema }: ApprovalDetail, entered: Entered): Html {
  if (schema === null) return html``;
  const fields = toFormFields(schema);
  if (fields !== null) return html`${fields.map((one) => toControl(one, FIELD + one.key, entered[FIELD + one.key]))}`;
  const pretty = JSON.stringify(schema, null, 2);
  return html`<label for="data">Data<small>JSON that fits this schema:</small></label><pre>${pretty}</pre>
<textarea id="data" name="data" rows="6">${entered["data"] ?? ""}</textarea>`;
}

function nameControl({ approvers }: ApprovalDetail, entered: Entered): Html {
  if (approvers.length === 0) return toControl(text("name", "Your name", true), "name", entered["name"]);
  const field = { ...text("name", "Your name", true), type: "enum", choices: approvers } as const;
  return toControl(field, "name", entered["name"]);
}

/** The page of an open question; `problem` says why what was entered cannot be taken. */
export function toQuestionPage(approval: ShownApproval, entered: Entered, problem: string | null): string {
  const { title, ref } = approval;
  const detail = JSON.parse(approval.detail) as ApprovalDetail;
  const { description, data } = detail;
  const alert = problem === null ? "" : html`<p role="alert">${problem}</p>`;
  const about = description === "" ? "" : html`<p class="text">${description}</p>`;
  const shown = data === null ? "" : html`<pre>${JSON.stringify(data, null, 2)}</pre>`;
  return toPage(
    title,
    html`<h1>${title}</h1><p>Asked by the workflow ${ref}.</p>${alert}${about}${shown}
<form method="post">${dataControls(detail, entered)}${nameControl(detail, entered)}
<label for="comment">Comment</label><textarea id="comment" name="comment" rows="3">${entered["comment"] ?? ""}</textarea>
<button name="decision" value="approve">Approve</button><button name="decision" value="reject" formnovalidate>Reject</button></form>`,
  );
}

/** The page that says what was decided. */
export function toDecidedPage({ title, decision }: ShownApproval): string {
  const { approved, by } = JSON.parse(decision ?? "{}") as Partial<Decision>;
  const what = approved === true ? "Approved" : "Rejected";
  return toPage(
    what,
    html`<h1>${what}</h1><p>${title}</p><p>Decided by ${by ?? "nobody"}. You may close this page.</p>`,
  );
}

/** A page that says why there is nothing to decide. */
export function toClosedPage(title: string, why: string): string {
  return toPage(title, html`<h1>${title}</h1><p>${why}</p>`);
}

/** The data that was entered: undefined when it is not JSON although it must be. */
export function enteredData({ detail }: ShownApproval, entered: Entered): unknown {
  const { schema } = JSON.parse(detail) as ApprovalDetail;
  if (schema === null) return null;
  const fields = toFormFields(schema);
  if (fields !== null) return toFormData(fields, (key) => entered[FIELD + key]);
  const json = entered["data"] ?? "";
  if (json.trim() === "") return null;
  try {
    return JSON.parse(json) as unknown;
  } catch {
    return undefined;
  }
}

/** The name that was entered; of a list, the chosen one. */
export function enteredName({ detail }: ShownApproval, entered: Entered): string {
  const name = entered["name"] ?? "";
  const { approvers } = JSON.parse(detail) as ApprovalDetail;
  return approvers.find((one) => JSON.stringify(one) === name) ?? name;
}
