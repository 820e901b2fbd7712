import { ExpressionError, type Names, writeExpression } from "./expressions.ts";
import { memberName, quoted } from "./names.ts";

/** Code of a template. */
export interface WrittenTemplate {
  readonly code: string;
  readonly used: ReadonlySet<string>;
}

/** How templates of a dialect refer to values. */
export interface TemplateRules extends Names {
  /** The name or reference between `<` and `>`, as an expression; null: it is plain text. Absent: there are none. */
  angled?(text: string): string | null;
  /** An expression with such references in it as one without; those that lead nowhere are nothing. */
  bare?(text: string): string;
  /** True: what refers to nothing stays as it was written. */
  readonly keepsUnknown: boolean;
}

type Part = { readonly text: string } | { readonly expression: string; readonly written: string };

/** Nesting of a value with templates in it. */
const MAX_DEPTH = 50;
const BRACES = /\{\{([\s\S]*?)\}\}/g;
const BRACES_OR_ANGLES = /\{\{([\s\S]*?)\}\}|<([^<>{}\n]{1,300})>/g;

function partsOf(template: string, rules: TemplateRules): Part[] {
  const parts: Part[] = [];
  let from = 0;
  const text = (to: number) => {
    if (to > from) parts.push({ text: template.slice(from, to) });
  };
  for (const match of template.matchAll(rules.angled === undefined ? BRACES : BRACES_OR_ANGLES)) {
    const [written, braced, angled] = match;
    const expression = braced?.trim() ?? rules.angled?.(angled ?? "") ?? null;
    if (expression === null) continue;
    text(match.index);
    parts.push({ expression, written });
    from = match.index + written.length;
  }
  text(template.length);
  return parts;
}

class TemplateWriter {
  readonly #rules: TemplateRules;
  readonly used = new Set<string>();

  constructor(rules: TemplateRules) {
    this.#rules = rules;
  }

  #use(helper: string): string {
    this.used.add(helper);
    return helper;
  }

  /** Code of one reference or expression; null: it stays text. */
  #expression(part: {
    readonly expression: string;
    readonly written: string;
  }): { code: string; isLoose: boolean } | null {
    const { keepsUnknown } = this.#rules;
    try {
      const { code, used, isReference } = writeExpression(part.expression, this.#rules, keepsUnknown ? "look" : "at");
      for (const helper of used) this.used.add(helper);
      return { code, isLoose: keepsUnknown && isReference };
    } catch (error) {
      if (keepsUnknown && error instanceof ExpressionError) return null;
      if (error instanceof ExpressionError)
        throw new ExpressionError(`${part.written.slice(0, 100)}: ${error.message}`);
      throw error;
    }
  }

  /** A template that is one reference keeps the type of the value. */
  value(template: string): string {
    const parts = partsOf(template, this.#rules);
    const [only] = parts;
    if (parts.length !== 1 || only === undefined || "text" in only) return this.text(template, parts);
    const found = this.#expression(only);
    if (found === null) return quoted(template);
    return found.isLoose ? `${this.#use("valueOr")}(${found.code}, ${quoted(only.written)})` : found.code;
  }

  text(template: string, parts: readonly Part[] = partsOf(template, this.#rules)): string {
    const codes = parts.map((part) => ("text" in part ? null : this.#shown(part)));
    if (codes.every((code) => code === null)) return quoted(template);
    const pieces = parts.map((part, i) => codes[i] ?? literalText("text" in part ? part.text : part.written));
    return `\`${pieces.join("")}\``;
  }

  /** Code of a reference within a text; null: it stays text. */
  #shown(part: { readonly expression: string; readonly written: string }): string | null {
    const found = this.#expression(part);
    if (found === null) return null;
    const { code, isLoose } = found;
    const call = isLoose ? `${this.#use("textOr")}(${code}, ${quoted(part.written)})` : `${this.#use("text")}(${code})`;
    return `\${${call}}`;
  }

  /** Any JSON value: its texts are templates. */
  any(value: unknown, depth = 0): string {
    if (depth > MAX_DEPTH) throw new ExpressionError(`is nested deeper than ${MAX_DEPTH} levels`);
    if (typeof value === "string") return this.value(value);
    if (Array.isArray(value)) return `[${value.map((one) => this.any(one, depth + 1)).join(", ")}]`;
    if (typeof value !== "object" || value === null) return JSON.stringify(value ?? null);
    const members = Object.entries(value).map(([name, one]) => `${memberName(name)}: ${this.any(one, depth + 1)}`);
    return members.length === 0 ? "{}" : `{ ${members.join(", ")} }`;
  }
}

/** Text as it stands within a template literal. */
const literalText = (text: string): string =>
  text
    .replaceAll("\\", "\\\\")
    .replaceAll("`", "\\`")
    .replaceAll("$", "\\$")
    .replaceAll("\r", "\\r")
    .replaceAll("\u2028", "\\u2028")
    .replaceAll("\u2029", "\\u2029");

/** Code that renders a value with templates in it; `asText`: always to a text. Throws ExpressionError. */
export function writeTemplate(value: unknown, rules: TemplateRules, asText = false): WrittenTemplate {
  const writer = new TemplateWriter(rules);
  const code = asText && typeof value === "string" ? writer.text(value) : writer.any(value);
  return { code, used: writer.used };
}
