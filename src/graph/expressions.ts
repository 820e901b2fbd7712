import jsep from "jsep";
import { quoted, UNREACHABLE } from "./names.ts";

/** Where the names of an expression lead. */
export interface Names {
  /** JavaScript of what a name means, and the path that follows it already; null: nobody knows it. */
  root(name: string): { readonly code: string; readonly path: readonly string[] } | null;
  /** True where texts that look like numbers are numbers. */
  readonly isLoose: boolean;
}

/** A text that is no expression; the message says why. */
export class ExpressionError extends Error {}

/** Characters of one expression. */
const MAX_CHARS = 10_000;

interface Shape {
  readonly type: string;
}
type Node = Shape & Readonly<Record<string, unknown>>;

const REMOVED = ["|", "^", "&", "<<", ">>", ">>>", "**", "??"];
for (const operator of REMOVED) jsep.removeBinaryOp(operator);
jsep.removeUnaryOp("~");
jsep.addUnaryOp("not");
jsep.addBinaryOp("or", 1);
jsep.addBinaryOp("and", 2);
jsep.addBinaryOp("in", 7);
jsep.addBinaryOp("contains", 7);

const COMPARING: Readonly<Record<string, string>> = {
  "==": "eq",
  "!=": "ne",
  "<": "lt",
  "<=": "le",
  ">": "gt",
  ">=": "ge",
};
const COUNTING: Readonly<Record<string, string>> = { "+": "add", "-": "sub", "*": "mul", "/": "div", "%": "mod" };
const WORDS: Readonly<Record<string, string>> = {
  True: "true",
  False: "false",
  None: "null",
  undefined: "null",
  true: "true",
  false: "false",
  null: "null",
};

function literal(value: unknown): string {
  if (typeof value === "string") return quoted(value);
  if (typeof value === "number" && !Number.isFinite(value)) throw new ExpressionError("a number is too large");
  return String(value);
}

/** JavaScript of expressions: made of these forms alone, whatever the parser knows. */
class Writer {
  readonly #names: Names;
  /** Helpers of `weft/graph` that are used. */
  readonly used = new Set<string>();

  constructor(names: Names) {
    this.#names = names;
  }

  use(helper: string): string {
    this.used.add(helper);
    return helper;
  }

  write(node: Node): string {
    switch (node.type) {
      case "Literal":
        return literal(node["value"]);
      case "Identifier":
      case "MemberExpression":
        return this.path(node, "at");
      case "UnaryExpression":
        return this.#unary(node);
      case "BinaryExpression":
      case "LogicalExpression":
        return this.#binary(node);
      case "ConditionalExpression":
        return this.#conditional(node);
      case "ArrayExpression":
        return `[${(node["elements"] as readonly Node[]).map((one) => this.write(one)).join(", ")}]`;
      case "CallExpression":
        throw new ExpressionError("calls are not available in expressions");
      case "Compound":
        throw new ExpressionError("is not one expression");
      default:
        throw new ExpressionError(`${node.type} is not available in expressions`);
    }
  }

  #unary(node: Node): string {
    const value = this.write(node["argument"] as Node);
    if (node["operator"] === "+") return value;
    return node["operator"] === "-" ? `${this.use("neg")}(${value})` : `${this.use("not")}(${value})`;
  }

  #binary(node: Node): string {
    const operator = String(node["operator"]);
    const left = this.write(node["left"] as Node);
    const right = this.write(node["right"] as Node);
    const call = (name: string, ...parts: readonly string[]) => `${name}(${parts.join(", ")})`;
    if (operator === "&&" || operator === "and") return call(this.use("both"), left, `() => ${right}`);
    if (operator === "||" || operator === "or") return call(this.use("either"), left, `() => ${right}`);
    if (operator === "===") return call(this.use("is"), left, right);
    if (operator === "!==") return `!${call(this.use("is"), left, right)}`;
    const counting = COUNTING[operator];
    if (counting !== undefined) return call(this.use(counting), left, right);
    if (operator === "in") return call(this.#comparing("within"), left, right);
    if (operator === "contains") return call(this.#comparing("within"), right, left);
    const comparing = COMPARING[operator];
    if (comparing !== undefined) return call(this.#comparing(comparing), left, right);
    throw new ExpressionError(`the operator ${operator} is not available`);
  }

  #comparing(name: string): string {
    return this.#names.isLoose ? `${this.use("loose")}.${name}` : this.use(name);
  }

  #conditional(node: Node): string {
    const [test, yes, no] = ["test", "consequent", "alternate"].map((part) => this.write(node[part] as Node));
    return `(${this.use("truthy")}(${test}) ? ${yes} : ${no})`;
  }

  /** Code of a name and the members after it, by `at` (null where there is nothing) or `look` (undefined there). */
  path(node: Node, by: "at" | "look"): string {
    const members: string[] = [];
    let root = node;
    while (root.type === "MemberExpression") {
      members.unshift(this.#member(root));
      root = root["object"] as Node;
    }
    if (root.type !== "Identifier") {
      const start = this.write(root);
      return members.length === 0 ? start : `${this.use(by)}(${[start, ...members].join(", ")})`;
    }
    const name = String(root["name"]);
    const word = Object.hasOwn(WORDS, name) ? WORDS[name] : undefined;
    if (word !== undefined) return word;
    const found = this.#names.root(name);
    if (found === null) throw new ExpressionError(`there is no ${JSON.stringify(name.slice(0, 100))}`);
    const path = [...found.path.map(quoted), ...members];
    return path.length === 0 ? found.code : `${this.use(by)}(${[found.code, ...path].join(", ")})`;
  }

  #member(node: Node): string {
    const property = node["property"] as Node;
    if (node["computed"] === true) return this.write(property);
    const name = String(property["name"]);
    if (UNREACHABLE.has(name)) throw new ExpressionError(`the member ${name} cannot be read`);
    return quoted(name);
  }
}

/** Code of an expression, and the helpers of `weft/graph` that it needs. */
export interface WrittenExpression {
  readonly code: string;
  readonly used: ReadonlySet<string>;
  /** True for a name and members alone. */
  readonly isReference: boolean;
}

function parse(text: string): Node {
  if (text.length > MAX_CHARS) throw new ExpressionError(`has ${text.length} characters, over ${MAX_CHARS}`);
  if (text.trim() === "") throw new ExpressionError("is empty");
  try {
    return jsep(text) as unknown as Node;
  } catch (cause) {
    throw new ExpressionError(cause instanceof RangeError ? "is nested too deeply" : (cause as Error).message);
  }
}

/** Turns an expression into JavaScript. `by`: what a reference gives where there is nothing, null (`at`) or undefined (`look`). Throws ExpressionError. */
export function writeExpression(text: string, names: Names, by: "at" | "look" = "at"): WrittenExpression {
  const node = parse(text);
  const writer = new Writer(names);
  const isReference = node.type === "Identifier" || node.type === "MemberExpression";
  try {
    const code = isReference ? writer.path(node, by) : writer.write(node);
    return { code, used: writer.used, isReference };
  } catch (cause) {
    if (cause instanceof RangeError) throw new ExpressionError("is nested too deeply");
    throw cause;
  }
}
