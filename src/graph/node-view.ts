import { ExpressionError, writeExpression } from "./expressions.ts";
import { memberName, quoted } from "./names.ts";
import { type Problems, shown } from "./problems.ts";
import { writeScript } from "./scripts.ts";
import { type TemplateRules, writeTemplate } from "./templates.ts";
import type { Fields, Graph, GraphDialect, GraphNode, GraphPart } from "./types.ts";

/** What the nodes of one graph share while they are written. */
export interface Writing {
  readonly graph: Graph;
  readonly rules: TemplateRules;
  readonly problems: Problems;
  /** Helpers of `weft/graph` that are used. */
  readonly used: Set<string>;
  /** Files with authors' scripts: path → text, and path → place in the document. */
  readonly files: Map<string, string>;
  readonly places: Map<string, string>;
  readonly datastores: Set<string>;
  /** Reads nodes and edges that are within a node. */
  readPart(raw: Fields, path: string): GraphPart;
  /** Writes nodes and edges that are within a node. */
  part(part: GraphPart, path: string): string;
}

interface NumberRange {
  readonly min: number;
  readonly max: number;
  readonly whole?: boolean;
}

/** One node while it is written: reads its config, reports what is wrong with it, and writes what it holds as code. */
export class NodeView {
  readonly node: GraphNode;
  /** For example `nodes[1]`. */
  readonly path: string;
  readonly writing: Writing;
  /** Ids of the nodes with an edge to it. */
  readonly before: readonly string[];

  constructor(node: GraphNode, path: string, writing: Writing, before: readonly string[]) {
    this.node = node;
    this.path = path;
    this.writing = writing;
    this.before = before;
  }

  get dialect(): GraphDialect {
    return this.writing.graph.dialect;
  }

  get config(): Fields {
    return this.node.config;
  }

  at(key: string): string {
    return `${this.path}.config.${key}`;
  }

  problem(key: string, message: string): void {
    this.writing.problems.add(this.at(key), message);
  }

  use(...helpers: readonly string[]): void {
    for (const helper of helpers) this.writing.used.add(helper);
  }

  /** The first of the members that is set; undefined where none is. */
  first(...keys: readonly string[]): { readonly key: string; readonly value: unknown } | undefined {
    const key = keys.find(
      (one) => this.config[one] !== undefined && this.config[one] !== null && this.config[one] !== "",
    );
    return key === undefined ? undefined : { key, value: this.config[key] };
  }

  /** Reports the first name where no member is set. */
  required(...keys: readonly string[]): { readonly key: string; readonly value: unknown } | undefined {
    const found = this.first(...keys);
    if (found === undefined) this.problem(keys[0] ?? "", "is required");
    return found;
  }

  text(key: string): string | null {
    const value = this.config[key];
    if (value === undefined || value === null || value === "") return null;
    if (typeof value === "string") return value;
    this.problem(key, `must be a string, got ${shown(value)}`);
    return null;
  }

  number(key: string, { min, max, whole = false }: NumberRange): number | null {
    const value = this.config[key];
    if (value === undefined || value === null || value === "") return null;
    const found = typeof value === "string" && this.dialect === "powabase" ? Number(value) : value;
    const fits = typeof found === "number" && found >= min && found <= max && (!whole || Number.isInteger(found));
    if (fits) return found;
    this.problem(key, `must be ${whole ? "an integer" : "a number"} from ${min} to ${max}, got ${shown(value)}`);
    return null;
  }

  flag(key: string, usual: boolean): boolean {
    const value = this.config[key] ?? usual;
    if (typeof value === "boolean") return value;
    this.problem(key, `must be true or false, got ${shown(value)}`);
    return usual;
  }

  oneOf<T extends string>(key: string, values: readonly T[], usual: T): T {
    const value = this.config[key] ?? usual;
    const found = values.find((one) => one === value);
    if (found !== undefined) return found;
    this.problem(key, `must be one of ${values.join(", ")}, got ${shown(value)}`);
    return usual;
  }

  #written(key: string, write: () => { readonly code: string; readonly used: ReadonlySet<string> }): string {
    try {
      const { code, used } = write();
      this.use(...used);
      return code;
    } catch (error) {
      if (!(error instanceof ExpressionError)) throw error;
      this.problem(key, error.message);
      return "null";
    }
  }

  /** Code that renders a value with templates in it. */
  template(key: string, value: unknown): string {
    return this.#written(key, () => writeTemplate(value, this.writing.rules));
  }

  /** Code that renders a text. */
  textTemplate(key: string, value: unknown): string {
    if (typeof value !== "string") return this.template(key, value);
    return this.#written(key, () => writeTemplate(value, this.writing.rules, true));
  }

  /** Code of an expression. */
  expression(key: string, value: unknown): string {
    if (typeof value === "boolean") return String(value);
    if (typeof value !== "string") {
      this.problem(
        key,
        value === undefined || value === null ? "is required" : `must be a string, got ${shown(value)}`,
      );
      return "null";
    }
    const { rules } = this.writing;
    const text = rules.bare?.(value) ?? value;
    const bare = text.replace(/^\s*\{\{([\s\S]*)\}\}\s*$/, "$1");
    return this.#written(key, () => writeExpression(bare, rules));
  }

  /** A file with an author's script; its name in the code. */
  script(key: string, text: string, statements: boolean): string {
    const number = this.writing.files.size + 1;
    const name = `script${number}`;
    const path = `nodes/${this.node.id.replaceAll(/[^\w-]/g, "_").slice(0, 60) || "node"}_${number}.ts`;
    this.writing.files.set(path, writeScript(text, { before: this.before, statements }));
    this.writing.places.set(path, this.at(key));
    return name;
  }

  /** Options that every node may have, as members of an object literal. */
  options(): readonly string[] {
    const { type, name, enabled } = this.node;
    const members = [`type: ${quoted(type)}`];
    if (name !== null) members.push(`name: ${quoted(name)}`);
    const retries = this.number("retry_attempts", { min: 0, max: 10, whole: true });
    if (retries !== null) members.push(`retries: ${retries}`);
    const timeout = this.node.kind === "http" ? null : this.number("timeout", { min: 0.001, max: 86_400 });
    if (timeout !== null) members.push(`timeoutMs: ${Math.ceil(timeout * 1_000)}`);
    const goesOn =
      this.config["continue_on_error"] === true || this.oneOf("on_error", ["fail", "continue"], "fail") === "continue";
    if (goesOn) members.push(`onError: "continue"`);
    if (!enabled) members.push("enabled: false");
    return members;
  }

  /** A call of a function of `weft/graph` with the node's options and more members. */
  call(helper: string, ...more: readonly (string | null)[]): string {
    this.use(helper);
    return `${helper}({ ${[...this.options(), ...more.filter((one) => one !== null)].join(", ")} })`;
  }
}

/** A member of an object literal; null where there is no value. */
export function member(name: string, code: string | null): string | null {
  return code === null ? null : `${memberName(name)}: ${code}`;
}

/** An object literal. */
export function object(...members: readonly (string | null)[]): string {
  const there = members.filter((one) => one !== null);
  return there.length === 0 ? "{}" : `{ ${there.join(", ")} }`;
}
