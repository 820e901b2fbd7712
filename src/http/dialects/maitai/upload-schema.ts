const text = { type: "string" } as const;
/** At most ten years, as the engine has it. */
const seconds = { type: "number", exclusiveMinimum: 0, maximum: 315_360_000 } as const;
const FILE = { contentMediaType: "application/octet-stream" } as const;

const schemaOf = (own: string) =>
  ({
    type: ["object", "null"],
    description: `JSON Schema or Maitai's field map, for a script that exports no ${own}; null or empty takes it away.`,
  }) as const;

const SETTINGS_PROPERTIES = {
  workflow_name: { ...text, description: "Name shown to people." },
  description: text,
  timeout_seconds: { ...seconds, description: "Wall time of one execution; the server's own limit is the ceiling." },
  execution_mode: {
    type: "string",
    enum: ["sync", "async", "stream"],
    description:
      "How a call is answered that says neither `background` nor `stream`: sync waits, async answers 202 with a run, stream streams.",
  },
  application_name: { ...text, description: "Application for model routes." },
  env: { type: "object", additionalProperties: text, description: "`ctx.env`." },
  cache: {
    type: "object",
    required: ["enabled"],
    additionalProperties: false,
    properties: { enabled: { type: "boolean" }, ttl_seconds: seconds },
    description: "Whether results are kept; without it the script's own config decides.",
  },
  retention: {
    type: "object",
    additionalProperties: false,
    properties: { age_seconds: seconds, runs: { type: "integer", minimum: 0 } },
    description:
      "How long, and how many, ended runs are kept; what it does not say the script's own config decides, then the server's settings.",
  },
  validate_input: { type: "boolean", description: "Refuse input that does not match the input schema." },
  input_schema: schemaOf("inputSchema"),
  output_schema: schemaOf("outputSchema"),
  transform_enabled: { type: ["boolean", "null"], description: "Only false: transforms are not supported." },
  transform_session: { description: "Only null, false or empty: transforms are not supported." },
} as const;

const ignored = (what: string) => ({ description: `Accepted for Maitai's clients, without effect: ${what}.` });

/** Fields that clients of Maitai send and that change nothing here; any value is accepted. */
const IGNORED_PROPERTIES = {
  application_id: ignored("applications go by name, see application_name"),
  allow_inproc_nesting: ignored("nested calls always work"),
  inproc_nested_refs: ignored("nested calls always work"),
} as const;

/** JSON Schema of an update of settings. */
export const SETTINGS_SCHEMA = {
  type: "object",
  additionalProperties: false,
  properties: { ...SETTINGS_PROPERTIES, ...IGNORED_PROPERTIES },
} as const;

const DEPLOY_PROPERTIES = {
  ...SETTINGS_PROPERTIES,
  ...IGNORED_PROPERTIES,
  workflow_ref_name: {
    ...text,
    description: 'Public name: 1 to 64 letters, digits, "_", "." or "-", beginning with a letter or digit.',
  },
  script: { ...text, description: "TypeScript with one exported execute(ctx)." },
  entry: { ...text, description: "File name of the script, default `workflow.ts`; errors name it." },
  language: { type: "string", enum: ["typescript"] },
  publish_version: {
    type: "boolean",
    description: "False stores the version and leaves the active one; default true.",
  },
  version_bump: { type: "string", enum: ["major", "minor", "patch"], description: "Default minor." },
  version_notes: text,
  remove_accessories: {
    type: "array",
    items: text,
    description: "Keys of accessories that the new version has no longer; all others stay.",
  },
  datastores: {
    type: "array",
    items: text,
    description: "Names of the datastores that the script may read; default: those of the version before.",
  },
} as const;

/** Further files of a script in a JSON body. */
export const FILES_SCHEMA = {
  type: "array",
  items: { type: "object", required: ["path", "text"], additionalProperties: false, properties: { path: text, text } },
  description: "Further files; the script imports them by relative path.",
} as const;

/** JSON Schema of an upload as JSON. */
export const UPLOAD_SCHEMA = {
  type: "object",
  required: ["workflow_ref_name", "script"],
  additionalProperties: false,
  properties: {
    ...DEPLOY_PROPERTIES,
    files: FILES_SCHEMA,
    accessories: {
      type: "array",
      items: {
        type: "object",
        required: ["key", "content_base64"],
        additionalProperties: false,
        properties: { key: text, filename: text, content_base64: text },
      },
    },
  },
} as const;

/** JSON Schema of an upload as a form; fields that are not texts are written as JSON. */
export const UPLOAD_FORM_SCHEMA = {
  type: "object",
  required: ["workflow_ref_name"],
  additionalProperties: false,
  properties: {
    ...DEPLOY_PROPERTIES,
    script_file: { ...FILE, description: "The script as a file, instead of `script`; its file name is the entry." },
    workflow_file: { ...FILE, description: "Same as script_file." },
    file: { ...FILE, description: "Same as script_file." },
    files: { type: "array", items: FILE, description: "Further files; the file name of a part is its path." },
    accessories: UPLOAD_SCHEMA.properties.accessories,
  },
  patternProperties: {
    "^accessory_.+$": { ...FILE, description: "An accessory; its key follows the underscore." },
    "^datastore_.+$": {
      ...FILE,
      description: "Records of a datastore, which is made or replaced and attached; its name follows the underscore.",
    },
  },
} as const;

/** JSON Schema of a validation. */
export const VALIDATE_SCHEMA = {
  type: "object",
  required: ["code"],
  properties: {
    code: { ...text, description: "The script." },
    kind: {
      type: "string",
      enum: ["execute", "transform", "schema", "bundle"],
      description:
        "Whatever the kind, the code is checked as a script with execute(ctx); `transform` is not supported, and says so.",
    },
    input_schema: SETTINGS_PROPERTIES.input_schema,
    output_schema: SETTINGS_PROPERTIES.output_schema,
    entry: DEPLOY_PROPERTIES.entry,
    files: FILES_SCHEMA,
  },
} as const;
