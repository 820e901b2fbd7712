import type { Fields } from "../types.ts";

/** A workflow to start from, in the form of a SolCognia draft. */
export interface Template {
  /** `tmpl_…` */
  readonly id: string;
  readonly name: string;
  readonly description: string;
  readonly category: string;
  /** The fields that a run asks for. */
  readonly inputs: readonly Fields[];
  readonly document: {
    readonly nodes: readonly Fields[];
    readonly connections: readonly Fields[];
    readonly settings: Fields;
  };
}

/** Puts a template together: its inputs are the fields of its input node. */
export function defineTemplate(template: Omit<Template, "inputs">): Template {
  const input = template.document.nodes.find((node) => node["type"] === "input");
  const { fields } = (input?.["config"] ?? {}) as { readonly fields?: readonly Fields[] };
  return { ...template, inputs: fields ?? [] };
}
