import type { TemplateRules } from "./templates.ts";
import type { Graph, GraphPart } from "./types.ts";

/** What the general names of expressions mean. */
const ROOTS: Readonly<Record<string, string>> = {
  input: "s.input",
  inputs: "s.input",
  variables: "s.input",
  context: "s.context",
  env: "s.env",
  secrets: "s.secrets",
  nodes: "s.nodes",
};

/** The id of the block that a reference of Powabase begins with, and what follows; null: it is plain text. */
function splitReference(
  text: string,
  ids: ReadonlyMap<string, string>,
): { readonly root: string; readonly rest: string } | null {
  const at = text.search(/[.[]/);
  const first = (at < 0 ? text : text.slice(0, at)).trim();
  const rest = at < 0 ? "" : text.slice(at);
  const id = ids.get(first);
  if (id !== undefined) return { root: `nodes[${JSON.stringify(id)}]`, rest };
  return Object.hasOwn(ROOTS, first) && rest !== "" ? { root: first, rest } : null;
}

const ANGLES = /<([^<>{}\n]{1,300})>/g;
/** What cannot be two comparisons. */
const REFERENCE = /^<[\w-]+(?: [\w-]+)*(?:\.[\w-]+)+>$/;
const PATH = /^(?:\.[\w$-]+|\[\d+\]|\["[^"]*"\])*$/;

/** Paths as they are written between angle brackets, where numbers and dashes are names too, as an expression. */
function pathOf(rest: string): string {
  return rest.replaceAll(/\.([\w$-]+)/g, (_whole, name: string) =>
    /^\d+$/.test(name) ? `[${name}]` : /^[A-Za-z_$][\w$]*$/.test(name) ? `.${name}` : `["${name}"]`,
  );
}

/** How expressions and templates of a graph refer to values; `within`: the part that they stand in, whose nodes come first. */
export function rulesOf(graph: Graph, within: GraphPart = graph): TemplateRules {
  const nodes = [...graph.nodes, ...within.nodes];
  const ids = new Map<string, string>();
  for (const { id, name } of nodes) if (name !== null) ids.set(name, id);
  for (const { id } of nodes) ids.set(id, id);
  const isBlocks = graph.dialect === "powabase";
  const rules: TemplateRules = {
    isLoose: isBlocks,
    keepsUnknown: isBlocks,
    root(name) {
      const known = Object.hasOwn(ROOTS, name) ? ROOTS[name] : undefined;
      const isInput = name === "input" && nodes.some(({ id, kind }) => id === "input" && kind !== "entry");
      if (known !== undefined && !isInput) return { code: known, path: [] };
      const id = ids.get(name);
      if (id !== undefined) return { code: "s.nodes", path: [id] };
      // Inputs may be named without more, unless the dialect keeps what it does not know.
      return isBlocks ? null : { code: "s.input", path: [name] };
    },
  };
  if (!isBlocks) return rules;
  const angled = (text: string): string | null => {
    const found = splitReference(text, ids);
    if (found === null || !PATH.test(found.rest)) return null;
    return `${found.root}${pathOf(found.rest)}`;
  };
  const nowhere = (whole: string) => (REFERENCE.test(whole) ? "null" : whole);
  return {
    ...rules,
    angled,
    bare: (text) => text.replaceAll(ANGLES, (whole, inner: string) => angled(inner) ?? nowhere(whole)),
  };
}
