import type { Readable } from "node:stream";
import { fail, WorkflowError } from "../../runtime/index.ts";
import type { FileFacts, Incoming } from "../engine/files/file-service.ts";
import type { App, Multipart, Request } from "./dialects/dialect.ts";

const MAX_FIELDS = 16;
const MAX_FIELD_BYTES = 4_096;
/** Longest text about a file, in UTF-16 units. */
const MAX_FACT = 200;

/** What arrives; a connection that breaks off is the caller's doing. Whoever stops reading leaves it open: it is still needed for the answer. */
export async function* pieces(stream: Readable): AsyncIterable<Uint8Array> {
  try {
    yield* stream.iterator({ destroyOnReturn: false }) as AsyncIterable<Uint8Array>;
  } catch (cause) {
    if (cause instanceof WorkflowError) throw cause;
    throw fail("INVALID_REQUEST", { message: "The upload broke off." }, cause);
  }
}

/** The body of a request as it comes. */
export function bodyOf({ raw, headers }: Request): Incoming {
  const length = headers["content-length"];
  return { source: pieces(raw), declared: length === undefined ? null : Number(length) };
}

/** Lets the routes of a scope take any body; nothing is read before their handler asks for it. */
export function takeAnyBody(scope: App): void {
  scope.removeContentTypeParser("application/json");
  scope.addContentTypeParser("*", (_request, _payload, done) => done(null));
}

/** The fields of a form that go with its file. */
export type FormFields = Readonly<Record<string, string>>;

/** An upload that came as a form. */
export interface FormUpload extends Incoming {
  readonly filename: string;
  readonly mimetype: string;
  /** All fields, those behind the file included; to be asked for once the file was read. */
  fields(): Promise<FormFields>;
}

function takeField(part: Multipart, fields: Record<string, string>): void {
  if (part.type !== "field") throw fail("INVALID_REQUEST", { message: "file: only one may be sent", param: "file" });
  const { fieldname, value, valueTruncated } = part;
  if (valueTruncated) {
    const message = `${fieldname.slice(0, 80)}: over ${MAX_FIELD_BYTES} bytes`;
    throw fail("INVALID_REQUEST", { message, param: fieldname });
  }
  fields[fieldname] = String(value);
}

/** The one file of a form, part `file`, not read yet; INVALID_REQUEST when there is none. */
export async function formOf(request: Request, maxBytes: number): Promise<FormUpload> {
  const fields: Record<string, string> = Object.create(null) as Record<string, string>;
  const limits = { files: 2, fields: MAX_FIELDS, fieldSize: MAX_FIELD_BYTES, fileSize: maxBytes + 1 };
  const parts = request.parts({ limits });
  for (;;) {
    const { value: part, done } = await parts.next();
    if (done === true || part === undefined)
      throw fail("INVALID_REQUEST", { message: "file: is required, as a part with a file name", param: "file" });
    if (part.type !== "file" || part.fieldname !== "file") {
      takeField(part, fields);
      continue;
    }
    return {
      filename: part.filename ?? "",
      mimetype: part.mimetype,
      source: pieces(part.file),
      declared: null,
      async fields() {
        for await (const more of parts) takeField(more, fields);
        return fields;
      },
    };
  }
}

const short = (text: string | undefined): string | null =>
  text === undefined || text === "" ? null : text.slice(0, MAX_FACT);

/** What is known of a file from its name, its type and the fields beside it. */
export function factsOf(name: string, contentType: string | undefined, fields: FormFields): FileFacts {
  const { scope_type: scopeType, scope_id: scopeId } = fields;
  return { name, contentType: contentType ?? null, scopeType: short(scopeType), scopeId: short(scopeId) };
}
