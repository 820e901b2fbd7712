type Schema = Readonly<Record<string, unknown>>;

const MAX_DEPTH = 16;

const isSchema = (value: unknown): value is Schema =>
  typeof value === "object" && value !== null && !Array.isArray(value);

function exampleObject(schema: Schema, text: string, depth: number): unknown {
  const properties = isSchema(schema["properties"]) ? schema["properties"] : {};
  return Object.fromEntries(Object.entries(properties).map(([name, each]) => [name, example(each, text, depth + 1)]));
}

const BY_TYPE: Readonly<Record<string, (schema: Schema, text: string, depth: number) => unknown>> = {
  object: exampleObject,
  array: (schema, text, depth) => (isSchema(schema["items"]) ? [example(schema["items"], text, depth + 1)] : []),
  string: (_schema, text) => text,
  number: (schema) => schema["minimum"] ?? 0,
  integer: (schema) => schema["minimum"] ?? 0,
  boolean: () => false,
  null: () => null,
};

function example(schema: unknown, text: string, depth: number): unknown {
  if (!isSchema(schema) || depth > MAX_DEPTH) return null;
  if ("const" in schema) return schema["const"];
  const choices = schema["enum"] ?? schema["anyOf"] ?? schema["oneOf"];
  if (Array.isArray(choices) && choices.length > 0) {
    return schema["enum"] === choices ? choices[0] : example(choices[0], text, depth + 1);
  }
  const named = Array.isArray(schema["type"]) ? schema["type"][0] : schema["type"];
  const type = typeof named === "string" ? named : "object";
  return (BY_TYPE[type] ?? exampleObject)(schema, text, depth);
}

/** A value of the JSON Schema's shape, the same every time; its texts are `text`. */
export function exampleOf(schema: unknown, text: string): unknown {
  return example(schema, text, 0);
}
