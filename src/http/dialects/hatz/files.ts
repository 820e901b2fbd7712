import { fail } from "../../../../runtime/index.ts";
import { EXPIRES_IN, type StoredFile } from "../../../engine/files/file-service.ts";
import { bodyOf, factsOf, formOf, takeAnyBody } from "../../incoming.ts";
import { sendFile } from "../../send-file.ts";
import type { App, DialectDeps, Request } from "../dialect.ts";
import { fileStatusOf } from "../maitai/file-view.ts";

/** Largest file of this API, bytes: 30 MB. */
const MAX_BYTES = 30 * 1024 * 1024;
/** Characters that a token stands for, about. */
const CHARS_PER_TOKEN = 4;

const tags = ["files"];
const params = { type: "object", properties: { id: { type: "string", description: "UUID of the file" } } };
const LINK_QUERY = {
  type: "object",
  required: ["expires", "sig"],
  properties: { expires: { type: "string" }, sig: { type: "string" } },
} as const;
const UPLOAD_URL_SCHEMA = {
  type: "object",
  required: ["file_name", "file_size"],
  properties: {
    file_name: { type: "string" },
    file_size: { type: "integer", minimum: 0, description: "Exact size of the content in bytes" },
    mime_type: { type: ["string", "null"] },
    scope_type: { type: ["string", "null"] },
    scope_id: { type: ["string", "null"] },
  },
} as const;

interface UploadUrlBody {
  readonly file_name: string;
  readonly file_size: number;
  readonly mime_type?: string | null;
  readonly scope_type?: string | null;
  readonly scope_id?: string | null;
}

const idOf = (request: Request) => (request.params as { readonly id: string }).id;
const proofOf = (request: Request) => request.query as { readonly expires: string; readonly sig: string };

function checkSize(bytes: number): void {
  if (bytes <= MAX_BYTES) return;
  const message = `file: ${bytes} bytes, over ${MAX_BYTES} (30 MB)`;
  throw fail("PAYLOAD_TOO_LARGE", { message, limit: "30 MB", value: bytes });
}

async function* capped(source: AsyncIterable<Uint8Array>): AsyncIterable<Uint8Array> {
  let bytes = 0;
  for await (const piece of source) {
    bytes += piece.byteLength;
    checkSize(bytes);
    yield piece;
  }
}

/** Both ids are the same: the API has had two names for it. */
const idsOf = ({ id }: StoredFile) => ({ file_id: id, file_uuid: id });

function registerUpload(app: App, { files, account }: DialectDeps): void {
  const summary = "Upload a file as a form: `file`, `scope_type`, `scope_id`";
  app.post("/v1/files/upload", { config: { longBody: true }, schema: { tags, summary } }, async (request) => {
    const { id: accountId } = account(request);
    if (!request.isMultipart()) {
      throw fail("INVALID_REQUEST", { message: "file: is required, in a multipart form", param: "file" });
    }
    const form = await formOf(request, MAX_BYTES);
    const facts = async () => factsOf(form.filename, form.mimetype, await form.fields());
    const file = await files.upload(accountId, { ...form, source: capped(form.source), facts });
    const tokens = Math.ceil(file.bytes / CHARS_PER_TOKEN);
    return { ...idsOf(file), status: "ready", tokens, message: "File uploaded successfully" };
  });
}

function registerStatus(app: App, { files, account }: DialectDeps): void {
  app.get("/v1/files/:id/status", { schema: { tags, summary: "How far an upload is", params } }, async (request) => {
    const file = await files.find({ accountId: account(request).id, id: idOf(request) });
    return { file_id: file.id, status: fileStatusOf(file, Date.now()) };
  });
  const schema = { tags, summary: "Make a link that the content is sent to, by PUT and once", body: UPLOAD_URL_SCHEMA };
  app.post("/v1/files/upload-url", { schema }, async (request) => {
    const { file_name: name, file_size: bytes, ...body } = request.body as UploadUrlBody;
    checkSize(bytes);
    const scope = { scope_type: body.scope_type ?? "", scope_id: body.scope_id ?? "" };
    const facts = factsOf(name, body.mime_type ?? undefined, scope);
    const announced = { facts, bytes, expiresIn: EXPIRES_IN };
    const { file, upload } = await files.awaitUpload(account(request).id, announced);
    return { ...idsOf(file), upload_url: upload.url, expires_in: upload.expiresIn };
  });
}

/** Signed links to contents, whoever made them: whoever holds one needs no key. */
function registerContent(app: App, { files }: DialectDeps): void {
  const config = { public: true };
  const url = "/v1/files/:id/content";
  app.route({
    method: ["GET", "HEAD"],
    url,
    config,
    schema: { tags, summary: "The content of a file, by a signed link", params, querystring: LINK_QUERY, security: [] },
    handler: async (request, reply) =>
      sendFile(files, await files.findByLink(idOf(request), proofOf(request)), request, reply),
  });
  app.put(
    url,
    {
      config: { ...config, longBody: true },
      schema: {
        tags,
        summary: "Send the content of a file to its signed link",
        params,
        querystring: LINK_QUERY,
        security: [],
      },
    },
    async (request) => {
      const file = await files.uploadByLink(idOf(request), proofOf(request), bodyOf(request));
      return { file_id: file.id, status: "ready" };
    },
  );
}

/** Uploads, their status, and signed links. */
export function registerFiles(app: App, deps: DialectDeps): void {
  registerStatus(app, deps);
  app.register(async (scope) => {
    takeAnyBody(scope as App);
    registerUpload(scope as App, deps);
    registerContent(scope as App, deps);
  });
}
