/** One place where a value does not match a schema. */
export interface SchemaProblem {
  /** JSON pointer into the value; empty for the value itself. */
  readonly path: string;
  readonly message: string;
}

type Schema = Readonly<Record<string, unknown>>;
type Check = (value: unknown, at: Place) => void;

/** Problems listed at most; more help no model. */
const MAX_PROBLEMS = 10;
/** Schemas within schemas, references followed: more is a reference that leads back to itself. */
const MAX_DEPTH = 200;

const isRecord = (value: unknown): value is Schema =>
  typeof value === "object" && value !== null && !Array.isArray(value);

const own = (record: object, name: string): boolean => Object.hasOwn(record, name);

/** JSON text with the members of objects in order: equal for equal values. */
function canonical(value: unknown): string {
  const sorted = (_key: string, item: unknown) =>
    isRecord(item) ? Object.fromEntries(Object.entries(item).sort(([a], [b]) => (a < b ? -1 : 1))) : item;
  return JSON.stringify(value, sorted) ?? "undefined";
}

function typeOf(value: unknown): string {
  if (value === null) return "null";
  return Array.isArray(value) ? "array" : typeof value;
}

function hasType(value: unknown, type: unknown): boolean {
  if (type === "integer") return typeof value === "number" && Number.isInteger(value);
  return typeOf(value) === type;
}

const shown = (value: unknown): string => (JSON.stringify(value) ?? "undefined").slice(0, 200);
const escaped = (name: string): string => name.replaceAll("~", "~0").replaceAll("/", "~1");
const length = (text: string): number => [...text].length;

/** Where the check stands: in the value, and in the schemas. */
class Place {
  readonly root: unknown;
  readonly problems: SchemaProblem[];
  readonly path: string;
  readonly depth: number;

  constructor(root: unknown, problems: SchemaProblem[], path: string, depth: number) {
    this.root = root;
    this.problems = problems;
    this.path = path;
    this.depth = depth;
  }

  say(message: string): void {
    if (this.problems.length < MAX_PROBLEMS) this.problems.push({ path: this.path, message });
  }

  in(name: string | number): Place {
    return new Place(this.root, this.problems, `${this.path}/${escaped(String(name))}`, this.depth);
  }

  /** True when the value matches a schema by itself; its problems are nobody's. */
  holds(schema: unknown, value: unknown): boolean {
    const problems: SchemaProblem[] = [];
    apply(schema, value, new Place(this.root, problems, "", this.depth));
    return problems.length === 0;
  }
}

function resolvePointer(root: unknown, ref: string): unknown {
  if (ref === "#") return root;
  if (!ref.startsWith("#/")) throw new Error(`the schema refers to ${shown(ref)}, which is not within it`);
  let at: unknown = root;
  for (const part of decodeURIComponent(ref.slice(2)).split("/")) {
    const name = part.replaceAll("~1", "/").replaceAll("~0", "~");
    if (typeof at !== "object" || at === null || !own(at, name)) throw new Error(`the schema has no ${shown(ref)}`);
    at = (at as Record<string, unknown>)[name];
  }
  return at;
}

/** Each keyword's part of a check, for values of any type. */
const GENERAL: Readonly<Record<string, (rule: unknown, schema: Schema) => Check>> = {
  $ref: (rule) => (value, at) => apply(resolvePointer(at.root, String(rule)), value, at),
  type: (rule) => (value, at) => {
    const types = Array.isArray(rule) ? rule : [rule];
    if (!types.some((type) => hasType(value, type))) at.say(`must be ${types.join(" or ")}, got ${typeOf(value)}`);
  },
  enum: (rule) => (value, at) => {
    if (!(rule as unknown[]).some((item) => canonical(item) === canonical(value)))
      at.say(`must be one of ${shown(rule)}, got ${shown(value)}`);
  },
  const: (rule) => (value, at) => {
    if (canonical(rule) !== canonical(value)) at.say(`must be ${shown(rule)}, got ${shown(value)}`);
  },
  allOf: (rule) => (value, at) => {
    for (const schema of rule as unknown[]) apply(schema, value, at);
  },
  anyOf: (rule) => (value, at) => {
    if (!(rule as unknown[]).some((schema) => at.holds(schema, value))) at.say("matches none of the schemas in anyOf");
  },
  oneOf: (rule) => (value, at) => {
    const matches = (rule as unknown[]).filter((schema) => at.holds(schema, value)).length;
    if (matches !== 1) at.say(`matches ${matches} of the schemas in oneOf, must match exactly one`);
  },
  not: (rule) => (value, at) => {
    if (at.holds(rule, value)) at.say("must not match the schema in not");
  },
  if: (rule, schema) => (value, at) => {
    const next = at.holds(rule, value) ? schema["then"] : schema["else"];
    if (next !== undefined) apply(next, value, at);
  },
};

const NUMBERS: Readonly<Record<string, (rule: number, value: number) => string | null>> = {
  minimum: (rule, value) => (value < rule ? `must be at least ${rule}` : null),
  maximum: (rule, value) => (value > rule ? `must be at most ${rule}` : null),
  exclusiveMinimum: (rule, value) => (value <= rule ? `must be over ${rule}` : null),
  exclusiveMaximum: (rule, value) => (value >= rule ? `must be under ${rule}` : null),
  multipleOf: (rule, value) => {
    const times = value / rule;
    return Math.abs(times - Math.round(times)) > 1e-9 * Math.max(1, Math.abs(times))
      ? `must be a multiple of ${rule}`
      : null;
  },
};

const TEXTS: Readonly<Record<string, (rule: unknown, value: string) => string | null>> = {
  minLength: (rule, value) => (length(value) < Number(rule) ? `must have at least ${rule} characters` : null),
  maxLength: (rule, value) => (length(value) > Number(rule) ? `must have at most ${rule} characters` : null),
  pattern: (rule, value) => (new RegExp(String(rule), "u").test(value) ? null : `must match the pattern ${rule}`),
};

const LISTS: Readonly<
  Record<string, (rule: unknown, schema: Schema) => (value: readonly unknown[], at: Place) => void>
> = {
  minItems: (rule) => (value, at) => {
    if (value.length < Number(rule)) at.say(`must have at least ${rule} items, has ${value.length}`);
  },
  maxItems: (rule) => (value, at) => {
    if (value.length > Number(rule)) at.say(`must have at most ${rule} items, has ${value.length}`);
  },
  uniqueItems: (rule) => (value, at) => {
    if (rule === true && new Set(value.map(canonical)).size < value.length) at.say("must not have equal items");
  },
  prefixItems: (rule) => (value, at) => {
    for (const [i, schema] of (rule as unknown[]).entries()) if (i < value.length) apply(schema, value[i], at.in(i));
  },
  items: (rule, schema) => (value, at) => {
    const first = Array.isArray(schema["prefixItems"]) ? schema["prefixItems"].length : 0;
    for (let i = first; i < value.length; i++) apply(rule, value[i], at.in(i));
  },
  contains: (rule) => (value, at) => {
    if (!value.some((item) => at.holds(rule, item))) at.say("must have an item that matches the schema in contains");
  },
};

function extraNames(schema: Schema, value: Schema): string[] {
  const known = isRecord(schema["properties"]) ? schema["properties"] : {};
  const patterns = isRecord(schema["patternProperties"]) ? Object.keys(schema["patternProperties"]) : [];
  const expressions = patterns.map((pattern) => new RegExp(pattern, "u"));
  return Object.keys(value).filter((name) => !own(known, name) && !expressions.some((one) => one.test(name)));
}

const OBJECTS: Readonly<Record<string, (rule: unknown, schema: Schema) => (value: Schema, at: Place) => void>> = {
  required: (rule) => (value, at) => {
    for (const name of rule as string[]) if (!own(value, name)) at.say(`must have the property ${shown(name)}`);
  },
  properties: (rule) => (value, at) => {
    for (const [name, schema] of Object.entries(rule as Schema))
      if (own(value, name)) apply(schema, value[name], at.in(name));
  },
  patternProperties: (rule) => (value, at) => {
    for (const [pattern, schema] of Object.entries(rule as Schema)) {
      const expression = new RegExp(pattern, "u");
      for (const name of Object.keys(value)) if (expression.test(name)) apply(schema, value[name], at.in(name));
    }
  },
  additionalProperties: (rule, schema) => (value, at) => {
    for (const name of extraNames(schema, value)) {
      if (rule === false) at.say(`must not have the property ${shown(name)}`);
      else apply(rule, value[name], at.in(name));
    }
  },
  propertyNames: (rule) => (value, at) => {
    for (const name of Object.keys(value))
      if (!at.holds(rule, name)) at.say(`must not have a property named ${shown(name)}`);
  },
  minProperties: (rule) => (value, at) => {
    if (Object.keys(value).length < Number(rule)) at.say(`must have at least ${rule} properties`);
  },
  maxProperties: (rule) => (value, at) => {
    if (Object.keys(value).length > Number(rule)) at.say(`must have at most ${rule} properties`);
  },
  dependentRequired: (rule) => (value, at) => {
    for (const [name, needs] of Object.entries(rule as Schema)) {
      if (!own(value, name)) continue;
      for (const need of needs as string[]) if (!own(value, need)) at.say(`must have the property ${shown(need)}, too`);
    }
  },
};

function applyTyped(keyword: string, schema: Schema, value: unknown, at: Place): void {
  const rule = schema[keyword];
  let problem: string | null | undefined;
  if (typeof value === "number" && own(NUMBERS, keyword)) problem = NUMBERS[keyword]?.(Number(rule), value);
  else if (typeof value === "string" && own(TEXTS, keyword)) problem = TEXTS[keyword]?.(rule, value);
  else if (Array.isArray(value) && own(LISTS, keyword)) LISTS[keyword]?.(rule, schema)(value, at);
  else if (isRecord(value) && own(OBJECTS, keyword)) OBJECTS[keyword]?.(rule, schema)(value, at);
  if (problem !== null && problem !== undefined) at.say(`${problem}, got ${shown(value)}`);
}

function apply(schema: unknown, value: unknown, at: Place): void {
  if (schema === true || at.problems.length >= MAX_PROBLEMS) return;
  if (schema === false) {
    at.say("must not be there");
    return;
  }
  if (!isRecord(schema)) throw new Error("the schema is not an object");
  if (at.depth >= MAX_DEPTH) throw new Error("the schema refers to itself without an end");
  const below = new Place(at.root, at.problems, at.path, at.depth + 1);
  for (const keyword of Object.keys(schema)) {
    if (own(GENERAL, keyword)) GENERAL[keyword]?.(schema[keyword], schema)(value, below);
    else applyTyped(keyword, schema, value, below);
  }
}

/**
 * Where a JSON value does not match a JSON Schema (2020-12; references within the schema only; formats, dynamic references
 * and unevaluated members are not looked at), at most ten places. Throws for a schema that is none.
 */
export function schemaProblems(schema: unknown, value: unknown): readonly SchemaProblem[] {
  const problems: SchemaProblem[] = [];
  apply(schema, value, new Place(schema, problems, "", 0));
  return problems;
}

/** Problems in one line, for a model or a person. */
export function problemText(problems: readonly SchemaProblem[]): string {
  return problems.map(({ path, message }) => (path === "" ? message : `${path}: ${message}`)).join("; ");
}
