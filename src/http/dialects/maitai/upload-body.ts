import { fail, type Limits, type SourceFile } from "../../../../runtime/index.ts";
import type { DeployRequest, WorkflowSettings } from "../../../engine/workflows.ts";

/** What an upload says, from JSON or multipart: still in the API's own words. */
export interface UploadBody {
  readonly workflow_ref_name?: string;
  readonly workflow_name?: string;
  readonly description?: string;
  readonly script?: string;
  /** More files of the script; the entry may import them. */
  readonly files?: readonly SourceFile[];
  readonly entry?: string;
  readonly language?: string;
  readonly timeout_seconds?: number;
  readonly execution_mode?: "sync" | "async" | "stream";
  readonly application_name?: string;
  readonly env?: Readonly<Record<string, string>>;
  readonly cache?: { readonly enabled: boolean; readonly ttl_seconds?: number };
  readonly validate_input?: boolean;
  readonly publish_version?: boolean;
  readonly version_bump?: "major" | "minor" | "patch";
  readonly version_notes?: string;
  readonly accessories?: readonly AccessoryBody[];
}

interface AccessoryBody {
  readonly key: string;
  readonly filename?: string;
  readonly content_base64: string;
}

const text = { type: "string" } as const;

/** JSON Schema of the settings a workflow may be given by upload or update. */
export const SETTINGS_PROPERTIES = {
  workflow_name: text,
  description: text,
  timeout_seconds: { type: "number", exclusiveMinimum: 0 },
  execution_mode: { type: "string", enum: ["sync", "async", "stream"] },
  application_name: text,
  env: { type: "object", additionalProperties: text },
  cache: {
    type: "object",
    required: ["enabled"],
    additionalProperties: false,
    properties: { enabled: { type: "boolean" }, ttl_seconds: { type: "number", exclusiveMinimum: 0 } },
  },
  validate_input: { type: "boolean" },
} as const;

/** JSON Schema of an upload. */
export const UPLOAD_SCHEMA = {
  type: "object",
  required: ["workflow_ref_name", "script"],
  additionalProperties: false,
  properties: {
    ...SETTINGS_PROPERTIES,
    workflow_ref_name: { ...text, description: "Public name: letters, digits, `_`, `.`, `-`; at most 64 characters." },
    script: { ...text, description: "TypeScript with one exported execute(ctx)." },
    entry: { ...text, description: "File name of `script`; default workflow.ts." },
    files: {
      type: "array",
      items: {
        type: "object",
        required: ["path", "text"],
        additionalProperties: false,
        properties: { path: text, text },
      },
    },
    language: { type: "string", enum: ["typescript"] },
    publish_version: { type: "boolean" },
    version_bump: { type: "string", enum: ["major", "minor", "patch"] },
    version_notes: text,
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

const DEFAULT_ENTRY = "workflow.ts";
const BASE64 = /^[A-Za-z0-9+/\s]*={0,2}\s*$/;

/** The settings in an upload or update; absent members keep their value. */
export function toSettings(body: UploadBody): WorkflowSettings {
  const { cache } = body;
  const ttlMs = cache?.ttl_seconds === undefined ? null : cache.ttl_seconds * 1_000;
  return {
    ...(body.workflow_name === undefined ? {} : { name: body.workflow_name }),
    ...(body.description === undefined ? {} : { description: body.description }),
    ...(body.execution_mode === undefined ? {} : { executionMode: body.execution_mode }),
    ...(body.timeout_seconds === undefined ? {} : { timeoutMs: Math.ceil(body.timeout_seconds * 1_000) }),
    ...(body.application_name === undefined ? {} : { application: body.application_name }),
    ...(body.env === undefined ? {} : { env: body.env }),
    ...(body.validate_input === undefined ? {} : { validateInput: body.validate_input }),
    ...(cache === undefined ? {} : { cache: { enabled: cache.enabled, ttlMs } }),
  };
}

function toAccessory({ key, filename, content_base64: content }: AccessoryBody, limits: Limits): UploadedFile {
  if (!BASE64.test(content)) {
    const param = "accessories";
    throw fail("INVALID_REQUEST", { message: `accessories: the content of "${key}" is not base64`, param });
  }
  const bytes = Buffer.from(content, "base64");
  if (bytes.length > limits.maxAccessoryBytes) {
    const message = `accessories: "${key}" has ${bytes.length} bytes, over ${limits.maxAccessoryBytes} (maxAccessoryBytes)`;
    throw fail("PAYLOAD_TOO_LARGE", { message, limit: "maxAccessoryBytes", value: bytes.length, param: "accessories" });
  }
  return { key, filename: filename ?? key, bytes };
}

/** An accessory with its content. */
export type UploadedFile = DeployRequest["accessories"][number];

/** Translates an upload; `attached` are the accessories that came as parts of a multipart body. */
export function toDeployRequest(
  body: UploadBody,
  attached: readonly UploadedFile[],
  context: { readonly accountId: string; readonly limits: Limits },
): DeployRequest {
  const entry = body.entry ?? DEFAULT_ENTRY;
  return {
    accountId: context.accountId,
    ref: body.workflow_ref_name ?? "",
    upload: { files: [{ path: entry, text: body.script ?? "" }, ...(body.files ?? [])], entry },
    settings: toSettings(body),
    accessories: [...(body.accessories ?? []).map((one) => toAccessory(one, context.limits)), ...attached],
    publish: body.publish_version ?? true,
    bump: body.version_bump ?? "minor",
    notes: body.version_notes ?? "",
  };
}
