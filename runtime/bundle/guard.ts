import { type Node, type Options, type Program, parse } from "acorn";
import { simple } from "acorn-walk";

/** One refused construct of a JavaScript text; `line` is 1-based, `column` 0-based, both in that text. */
export interface Refusal {
  readonly line: number;
  readonly column: number;
  readonly text: string;
}

/** What a module says about itself. */
export interface ModuleFindings {
  readonly refusals: readonly Refusal[];
  /** Every literal module specifier, in order of appearance. */
  readonly imports: readonly string[];
  /** Exported names; `default` only when it is (or may be) a function other than `execute`. */
  readonly exports: ReadonlySet<string>;
  /** Specifiers of `export * from "…"`. */
  readonly stars: readonly string[];
  /** Names read as free or local variables or as members of globalThis: a superset of the globals it uses. */
  readonly names: ReadonlySet<string>;
}

const OPTIONS: Options = { ecmaVersion: "latest", sourceType: "module", locations: true, allowHashBang: true };

type Visited = Node & Readonly<Record<string, unknown>>;

class Findings implements ModuleFindings {
  readonly refusals: Refusal[] = [];
  readonly imports: string[] = [];
  readonly exports = new Set<string>();
  readonly stars: string[] = [];
  readonly names = new Set<string>();
  /** Uses of the name `require`, and those of them that are harmless. */
  readonly requires: Node[] = [];
  readonly allowed = new Set<unknown>();

  refuse(node: Node, text: string): void {
    this.refusals.push({ line: node.loc?.start.line ?? 1, column: node.loc?.start.column ?? 0, text });
  }
}

function literalText(node: unknown): string | undefined {
  const { type, value, quasis, expressions } = node as Visited;
  if (type === "Literal" && typeof value === "string") return value;
  if (type !== "TemplateLiteral" || (expressions as unknown[]).length > 0) return undefined;
  return (quasis as { value: { cooked: string } }[])[0]?.value.cooked;
}

function nameOf(node: unknown): string {
  const { type, name, value } = node as Visited;
  return String(type === "Identifier" ? name : value);
}

function readSource(node: Visited, found: Findings): void {
  if (node["source"] === null || node["source"] === undefined) return;
  const specifier = literalText(node["source"]) ?? "";
  found.imports.push(specifier);
  for (const attribute of (node["attributes"] ?? []) as Visited[]) {
    const [key, value] = [nameOf(attribute["key"]), literalText(attribute["value"])];
    if (key === "type" && value === "json" && specifier.endsWith(".json")) continue;
    found.refuse(
      node,
      `the import attribute ${key}: "${value}" is not available; only JSON files of the upload may have type: "json"`,
    );
  }
}

function readDynamicImport(node: Visited, found: Findings): void {
  const specifier = literalText(node["source"]);
  if (specifier === undefined)
    found.refuse(node, "import() needs a string literal: computed imports are not available");
  else found.imports.push(specifier);
  if (node["options"] !== null && node["options"] !== undefined)
    found.refuse(node, "import() takes no second argument here");
}

function readCall(node: Visited, found: Findings): void {
  const callee = node["callee"] as Visited;
  if (callee.type !== "Identifier" || callee["name"] !== "require") return;
  const args = node["arguments"] as unknown[];
  const specifier = args.length === 1 && node["optional"] !== true ? literalText(args[0]) : undefined;
  if (specifier === undefined) return;
  found.imports.push(specifier);
  found.allowed.add(callee);
}

/** Names of top-level functions, to tell `export default handler` from `export default settings`. */
function topLevelFunctions(program: Program): Set<string> {
  const names = new Set<string>();
  for (const statement of program.body) {
    if (statement.type === "FunctionDeclaration") names.add(statement.id?.name ?? "");
    if (statement.type !== "VariableDeclaration") continue;
    for (const { id, init } of statement.declarations) {
      if (
        id.type === "Identifier" &&
        (init?.type === "ArrowFunctionExpression" || init?.type === "FunctionExpression")
      ) {
        names.add(id.name);
      }
    }
  }
  return names;
}

function readNamedExports(statement: Visited, found: Findings): void {
  const declaration = statement["declaration"] as Visited | null;
  for (const name of declaration === null ? [] : declaredNames(declaration)) found.exports.add(name);
  for (const { exported } of statement["specifiers"] as { exported: Node }[]) {
    if (nameOf(exported) !== "default") found.exports.add(nameOf(exported));
  }
}

function readStarExport(statement: Visited, found: Findings): void {
  const { exported } = statement;
  if (exported === null || exported === undefined) found.stars.push(literalText(statement["source"]) ?? "");
  else found.exports.add(nameOf(exported));
}

/** The local name exported as default, or null for an expression; undefined when there is no default export here. */
function defaultLocal(statement: Visited): string | null | undefined {
  if (statement.type === "ExportDefaultDeclaration") {
    const declaration = statement["declaration"] as Visited;
    if (declaration.type === "Identifier") return nameOf(declaration);
    return /Function/.test(declaration.type) ? "" : null;
  }
  const specifiers = (statement["specifiers"] ?? []) as { exported: Node; local: Node }[];
  const specifier = specifiers.find(({ exported }) => nameOf(exported) === "default");
  return specifier === undefined ? undefined : nameOf(specifier.local);
}

function readExports(program: Program, found: Findings): void {
  const body = program.body as unknown as Visited[];
  for (const statement of body) {
    if (statement.type === "ExportAllDeclaration") readStarExport(statement, found);
    else if (statement.type === "ExportNamedDeclaration") readNamedExports(statement, found);
  }
  const functions = topLevelFunctions(program).add("");
  for (const statement of body.filter(({ type }) => type.startsWith("Export") && type !== "ExportAllDeclaration")) {
    const local = defaultLocal(statement);
    if (local === undefined || local === "execute") continue;
    if (!found.exports.has("execute") || (local !== null && functions.has(local))) found.exports.add("default");
  }
}

function declaredNames(declaration: Visited): readonly string[] {
  if (declaration["id"] !== undefined) return [nameOf(declaration["id"])];
  return (declaration["declarations"] as { id: Node }[]).flatMap(({ id }) => patternNames(id));
}

/** Names bound by an identifier or a destructuring pattern. */
function patternNames(pattern: unknown): readonly string[] {
  if (pattern === null || pattern === undefined) return [];
  const { type, properties, elements, value, left, argument } = pattern as Visited;
  if (type === "Identifier") return [nameOf(pattern)];
  const inner = (properties ?? elements ?? [value ?? left ?? argument]) as readonly unknown[];
  return inner.flatMap(patternNames);
}

const visitors = {
  ImportDeclaration: readSource,
  ExportNamedDeclaration: readSource,
  ExportAllDeclaration: readSource,
  ImportExpression: readDynamicImport,
  CallExpression: readCall,
  Identifier(node: Visited, found: Findings) {
    found.names.add(String(node["name"]));
    if (node["name"] === "require") found.requires.push(node);
  },
  UnaryExpression(node: Visited, found: Findings) {
    if (node["operator"] === "typeof") found.allowed.add(node["argument"]);
  },
  MemberExpression(node: Visited, found: Findings) {
    const property = node["computed"] === true ? literalText(node["property"]) : nameOf(node["property"]);
    const isGlobal = nameOf(node["object"]) === "globalThis";
    if (property !== undefined && (isGlobal || property === "subtle")) found.names.add(property);
  },
  MetaProperty(node: Visited, found: Findings) {
    if (nameOf(node["meta"]) === "import") found.refuse(node, "import.meta is not available in workflows");
  },
  Property(node: Visited, found: Findings) {
    if (nameOf(node["key"]) === "subtle") found.names.add("subtle");
  },
};

/**
 * Reads a JavaScript module (the output of a TypeScript transform) and finds everything that could make the bundler
 * look outside the upload. A text that cannot be parsed is refused as a whole.
 */
export function inspectModule(code: string): ModuleFindings {
  const found = new Findings();
  try {
    const program = parse(code, OPTIONS);
    simple(program, visitors as never, undefined, found);
    readExports(program, found);
  } catch (thrown) {
    found.refusals.push(unreadable(thrown));
    return found;
  }
  for (const node of found.requires) {
    if (!found.allowed.has(node))
      found.refuse(node, 'require is only available as require("literal"); use import instead');
  }
  return found;
}

function unreadable(thrown: unknown): Refusal {
  const { message, loc } = thrown as { message?: string; loc?: { line: number; column: number } };
  const tooDeep = thrown instanceof RangeError || /stack space/.test(String(message));
  const text = tooDeep ? "the source is nested too deeply here" : String(message).replace(/ \(\d+:\d+\)$/, "");
  return { line: loc?.line ?? 1, column: loc?.column ?? 0, text };
}
