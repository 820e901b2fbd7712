import { fail, type Limits, type SourceFile } from "../../../../runtime/index.ts";
import type { Multipart, MultipartFile, Request } from "../dialect.ts";
import type { UploadBody, UploadedFile } from "./upload-body.ts";

/** A multipart upload, taken apart. */
export interface MultipartUpload {
  readonly body: UploadBody;
  readonly accessories: readonly UploadedFile[];
}

const ENTRY_PARTS = new Set(["script_file", "workflow_file", "file"]);
const MORE_FILES = "files";
const ACCESSORY = /^accessory_(.+)$/;
const BOOLEANS = new Set(["publish_version", "validate_input"]);
const NUMBERS = new Set(["timeout_seconds"]);
const JSON_FIELDS = new Set(["env", "cache", "accessories"]);

function invalid(param: string, message: string): Error {
  return fail("INVALID_REQUEST", { message: `${param}: ${message}`, param });
}

/** A scalar field of a form, as the JSON body would have it. */
export function parseField(name: string, value: string): unknown {
  if (BOOLEANS.has(name)) {
    if (value === "true" || value === "1") return true;
    if (value === "false" || value === "0") return false;
    throw invalid(name, `must be true or false, got ${JSON.stringify(value.slice(0, 40))}`);
  }
  if (NUMBERS.has(name)) {
    const number = Number(value);
    if (value.trim() === "" || !Number.isFinite(number))
      throw invalid(name, `must be a number, got ${JSON.stringify(value.slice(0, 40))}`);
    return number;
  }
  if (!JSON_FIELDS.has(name)) return value;
  try {
    return JSON.parse(value);
  } catch {
    throw invalid(name, "must be JSON");
  }
}

async function sourceOf(part: MultipartFile): Promise<SourceFile> {
  const path = part.filename === "" ? part.fieldname : part.filename;
  try {
    return { path, text: new TextDecoder("utf-8", { fatal: true }).decode(await part.toBuffer()) };
  } catch (cause) {
    if (cause instanceof TypeError) throw invalid(part.fieldname, `"${path}" is not UTF-8 text`);
    throw cause;
  }
}

class Collected {
  readonly fields: Record<string, unknown> = {};
  readonly files: SourceFile[] = [];
  readonly accessories: UploadedFile[] = [];

  async add(part: Multipart): Promise<void> {
    if (part.type === "field") {
      this.fields[part.fieldname] = parseField(part.fieldname, String(part.value));
      return;
    }
    const accessory = ACCESSORY.exec(part.fieldname)?.[1];
    if (accessory !== undefined) {
      this.accessories.push({ key: accessory, filename: part.filename, bytes: await part.toBuffer() });
    } else if (ENTRY_PARTS.has(part.fieldname) && this.fields["script"] === undefined) {
      const { path, text } = await sourceOf(part);
      this.fields["entry"] = path;
      this.fields["script"] = text;
    } else if (part.fieldname === MORE_FILES || ENTRY_PARTS.has(part.fieldname)) {
      this.files.push(await sourceOf(part));
    } else throw invalid(part.fieldname, "unknown file part; use script_file, files or accessory_<key>");
  }
}

/** Reads a multipart upload part by part; throws INVALID_REQUEST for a part it does not know. */
export async function readMultipart(request: Request, limits: Limits): Promise<MultipartUpload> {
  const collected = new Collected();
  const parts = request.parts({
    preservePath: true,
    limits: {
      fileSize: limits.maxAccessoryBytes,
      fields: 64,
      files: limits.maxAccessories * 2,
      fieldSize: limits.maxBodyBytes,
    },
  });
  for await (const part of parts) await collected.add(part);
  const { fields, files, accessories } = collected;
  return { body: { ...fields, ...(files.length === 0 ? {} : { files }) } as UploadBody, accessories };
}
