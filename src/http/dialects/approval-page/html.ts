import { hash } from "node:crypto";
import type { FormField } from "./form-fields.ts";

/** HTML that may be put into a page as it is. */
export interface Html {
  readonly html: string;
}

const ENTITIES: Readonly<Record<string, string>> = {
  "&": "&amp;",
  "<": "&lt;",
  ">": "&gt;",
  '"': "&quot;",
  "'": "&#39;",
};

/** A text with everything escaped that means something in HTML. */
export const escapeHtml = (text: string): string =>
  text.replaceAll(/[&<>"']/g, (character) => ENTITIES[character] ?? "");

const render = (value: unknown): string => {
  if (Array.isArray(value)) return value.map(render).join("");
  const isHtml = typeof value === "object" && value !== null && "html" in value;
  return isHtml ? String((value as Html).html) : escapeHtml(String(value));
};

/** A template whose values are escaped unless they are HTML themselves, or lists of it. */
export function html(parts: TemplateStringsArray, ...values: readonly unknown[]): Html {
  return { html: parts.reduce((text, part, index) => `${text}${render(values[index - 1])}${part}`) };
}

const STYLE = `body{font:16px/1.5 system-ui,sans-serif;max-width:40rem;margin:2rem auto;padding:0 1rem;color:#222;background:#fff}
h1{font-size:1.5rem}pre{background:#f4f4f4;padding:.75rem;overflow:auto;border-radius:4px}
label{display:block;margin:1rem 0 .25rem;font-weight:600}small{display:block;color:#555;font-weight:400}
input:not([type=checkbox]),select,textarea{width:100%;box-sizing:border-box;font:inherit;padding:.4rem;border:1px solid #888;border-radius:4px}
button{font:inherit;padding:.5rem 1.5rem;margin:1.5rem .5rem 0 0;border-radius:4px;border:1px solid #888;background:#fff;cursor:pointer}
button[value=approve]{background:#176b37;border-color:#176b37;color:#fff}.text{white-space:pre-wrap}
[role=alert]{background:#fde8e8;border:1px solid #b3261e;padding:.75rem;border-radius:4px}`;

/** The page's policy: nothing is loaded, nothing runs, forms lead back to the server. */
export const CONTENT_SECURITY_POLICY = `default-src 'none'; style-src 'sha256-${hash("sha256", STYLE, "base64")}'; form-action 'self'; frame-ancestors 'none'; base-uri 'none'`;

/** A whole page. */
export function toPage(title: string, body: Html): string {
  const style: Html = { html: STYLE };
  return html`<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width"><meta name="robots" content="noindex">
<title>${title}</title><style>${style}</style></head><body>${body}</body></html>
`.html;
}

function choice(value: unknown, given: string | undefined): Html {
  const json = JSON.stringify(value);
  const selected: Html = { html: json === given ? " selected" : "" };
  return html`<option value="${json}"${selected}>${typeof value === "string" ? value : json}</option>`;
}

function control(field: FormField, name: string, given: string | undefined): Html {
  const { type, choices } = field;
  const required: Html = { html: field.required ? " required" : "" };
  switch (type) {
    case "boolean": {
      const checked: Html = { html: given === "true" ? " checked" : "" };
      return html`<input type="checkbox" id="${name}" name="${name}" value="true"${checked}>`;
    }
    case "enum":
      return html`<select id="${name}" name="${name}"${required}><option></option>${choices.map((one) => choice(one, given))}</select>`;
    case "string":
      return html`<input id="${name}" name="${name}" value="${given ?? ""}"${required}>`;
    case "number":
    case "integer":
      return html`<input type="number" step="${type === "integer" ? "1" : "any"}" id="${name}" name="${name}" value="${given ?? ""}"${required}>`;
  }
}

/** A labelled control for a field, with what was entered before. */
export function toControl(field: FormField, name: string, given: string | undefined): Html {
  const hint = field.hint === "" ? "" : html`<small>${field.hint}</small>`;
  return html`<label for="${name}">${field.label}${hint}</label>${control(field, name, given)}`;
}
