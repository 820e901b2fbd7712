import { fail, type Limits, type SourceFile } from "../../../../runtime/index.ts";
import type { Workflow } from "../../../engine/types.ts";
import type { DeployRequest, GivenSchemas, WorkflowSettings } from "../../../engine/workflows.ts";
import { DATASTORE_PART } from "./attached-datastores.ts";
import type { FormFile } from "./form.ts";
import { ACCESSORY_PART, accessoriesOfPart } from "./received-accessories.ts";
import { refuseTransforms, type TransformBody } from "./transforms.ts";

/** Schemas beside a script; empty and null = none. */
export interface SchemasBody {
  readonly input_schema?: object | null;
  readonly output_schema?: object | null;
}

/** What an upload may set, in the API's own words. */
export interface SettingsBody extends SchemasBody, TransformBody {
  readonly workflow_name?: string;
  readonly description?: string;
  readonly timeout_seconds?: number;
  readonly execution_mode?: "sync" | "async" | "stream";
  readonly application_name?: string;
  readonly env?: Readonly<Record<string, string>>;
  readonly cache?: { readonly enabled: boolean; readonly ttl_seconds?: number };
  readonly retention?: { readonly age_seconds?: number; readonly runs?: number };
  readonly validate_input?: boolean;
}

/** An upload as JSON, as its schema has checked it. */
export interface UploadBody extends SettingsBody {
  readonly workflow_ref_name: string;
  readonly script: string;
  readonly entry?: string;
  readonly files?: readonly SourceFile[];
  readonly publish_version?: boolean;
  readonly version_bump?: "major" | "minor" | "patch";
  readonly version_notes?: string;
  readonly accessories?: readonly AccessoryBody[];
  readonly remove_accessories?: readonly string[];
  readonly datastores?: readonly string[];
}

interface AccessoryBody {
  readonly key: string;
  readonly filename?: string;
  readonly content_base64: string;
}

type Accessory = DeployRequest["accessories"][number];

/** An upload with the accessories that came as files. */
export interface ReceivedUpload {
  readonly body: UploadBody;
  readonly attached: readonly Accessory[];
}

/** File name of a script that came without one. */
export const DEFAULT_ENTRY = "workflow.ts";
const SCRIPT_PARTS = ["script_file", "workflow_file", "file"];
const BASE64 = /^[A-Za-z0-9+/]*={0,2}$/;

function invalid(param: string, message: string): Error {
  return fail("INVALID_REQUEST", { message: `${param}: ${message}`, param });
}

const isFile = (value: unknown): value is FormFile =>
  typeof value === "object" && value !== null && "bytes" in value && value.bytes instanceof Uint8Array;

function filesOf(name: string, value: unknown): readonly FormFile[] {
  const all: readonly unknown[] = Array.isArray(value) ? value : [value];
  const files = all.filter(isFile);
  if (files.length === all.length) return files;
  throw invalid(name, "must be a file (a part with a file name)");
}

function sourceOf(name: string, { filename, bytes }: FormFile): SourceFile {
  try {
    return { path: filename, text: new TextDecoder("utf-8", { fatal: true }).decode(bytes) };
  } catch {
    throw invalid(name, `${JSON.stringify(filename)} is not UTF-8 text`);
  }
}

/** The upload that a form means; throws INVALID_REQUEST naming the part. */
export function toUpload(form: Readonly<Record<string, unknown>>): ReceivedUpload {
  const { files = [], ...fields } = form;
  const sources = filesOf("files", files).map((file) => sourceOf("files", file));
  const attached: Accessory[] = [];
  const settings: [string, unknown][] = [];
  const scripts: SourceFile[] = [];
  for (const [name, value] of Object.entries(fields)) {
    if (name.startsWith(DATASTORE_PART)) continue;
    if (SCRIPT_PARTS.includes(name)) scripts.push(...filesOf(name, value).map((file) => sourceOf(name, file)));
    else if (name.startsWith(ACCESSORY_PART)) {
      attached.push(...accessoriesOfPart(name, value));
    } else settings.push([name, value]);
  }
  const given = Object.fromEntries(settings) as Partial<UploadBody>;
  const [main, second] = scripts;
  const { workflow_ref_name = "", entry = main?.path, script = main?.text } = given;
  if (script === undefined) throw invalid("script_file", "is required (or script, as text)");
  if (second !== undefined || (main !== undefined && given.script !== undefined)) {
    throw invalid("script_file", "the script must come once; send further files as parts named files");
  }
  const named = entry === undefined || entry === "" ? {} : { entry };
  return { body: { ...given, workflow_ref_name, script, ...named, files: sources }, attached };
}

const schemaOrNone = (schema: object | null) => (schema === null || Object.keys(schema).length === 0 ? null : schema);

/** The schemas in an upload, update or validation; absent ones keep their value. */
export function toSchemas({ input_schema: input, output_schema: output }: SchemasBody): GivenSchemas {
  return {
    ...(input === undefined ? {} : { inputSchema: schemaOrNone(input) }),
    ...(output === undefined ? {} : { outputSchema: schemaOrNone(output) }),
  };
}

/** Without members it is given back to the script. */
function toRetention({ age_seconds: age, runs }: NonNullable<SettingsBody["retention"]>): Workflow["retention"] {
  if (age === undefined && runs === undefined) return null;
  return { ageMs: age === undefined ? null : age * 1_000, runs: runs ?? null };
}

/** The settings in an upload or update; absent members keep their value. */
export function toSettings(body: SettingsBody): WorkflowSettings {
  const { cache } = body;
  refuseTransforms(body);
  const ttlMs = cache?.ttl_seconds === undefined ? null : cache.ttl_seconds * 1_000;
  return {
    ...toSchemas(body),
    ...(body.workflow_name === undefined ? {} : { name: body.workflow_name }),
    ...(body.description === undefined ? {} : { description: body.description }),
    ...(body.execution_mode === undefined ? {} : { executionMode: body.execution_mode }),
    ...(body.timeout_seconds === undefined ? {} : { timeoutMs: Math.ceil(body.timeout_seconds * 1_000) }),
    ...(body.application_name === undefined ? {} : { application: body.application_name }),
    ...(body.env === undefined ? {} : { env: body.env }),
    ...(body.validate_input === undefined ? {} : { validateInput: body.validate_input }),
    ...(body.retention === undefined ? {} : { retention: toRetention(body.retention) }),
    ...(cache === undefined ? {} : { cache: { enabled: cache.enabled, ttlMs } }),
  };
}

function toAccessory({ key, filename, content_base64: content }: AccessoryBody): Accessory {
  const packed = content.replaceAll(/\s+/g, "");
  if (!BASE64.test(packed)) throw invalid("accessories", `the content of ${JSON.stringify(key)} is not base64`);
  return { key, filename: filename ?? key, bytes: Buffer.from(packed, "base64") };
}

function checkScriptSize(files: readonly SourceFile[], { maxScriptBytes }: Limits): void {
  const value = files.reduce((sum, { text }) => sum + Buffer.byteLength(text), 0);
  if (value <= maxScriptBytes) return;
  const message = `script: ${value} bytes, over ${maxScriptBytes} (maxScriptBytes)`;
  throw fail("PAYLOAD_TOO_LARGE", { message, limit: "maxScriptBytes", value, param: "script" });
}

/** Translates an upload; throws INVALID_REQUEST and PAYLOAD_TOO_LARGE. */
export function toDeployRequest(
  { body, attached }: ReceivedUpload,
  context: { readonly accountId: string; readonly limits: Limits },
): DeployRequest {
  const entry = body.entry ?? DEFAULT_ENTRY;
  const files = [{ path: entry, text: body.script }, ...(body.files ?? [])];
  checkScriptSize(files, context.limits);
  return {
    accountId: context.accountId,
    ref: body.workflow_ref_name,
    upload: { files, entry },
    settings: toSettings(body),
    accessories: [...(body.accessories ?? []).map(toAccessory), ...attached],
    withoutAccessories: body.remove_accessories ?? [],
    ...(body.datastores === undefined ? {} : { datastores: body.datastores }),
    publish: body.publish_version ?? true,
    bump: body.version_bump ?? "minor",
    notes: body.version_notes ?? "",
  };
}
