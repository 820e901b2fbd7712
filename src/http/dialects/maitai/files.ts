import { EXPIRES_IN, MAX_EXPIRES_IN } from "../../../engine/files/file-service.ts";
import { bodyOf, factsOf, formOf, takeAnyBody } from "../../incoming.ts";
import { sendFile } from "../../send-file.ts";
import type { App, DialectDeps, Request } from "../dialect.ts";
import { toFileView } from "./file-view.ts";
import { MAX_LIMIT, PAGE_SCHEMA, pageOf } from "./paging.ts";
import { RUN_PARAMS, runTargetOf } from "./run-target.ts";

const BASE = "/api/v1/files";
const tags = ["files"];
const params = {
  type: "object",
  properties: { id: { type: "string", description: "`file_<32 hex digits>`, or the same as a UUID" } },
};
const seconds = {
  type: "integer",
  minimum: 1,
  maximum: MAX_EXPIRES_IN,
  description: `How long the link works, in seconds; default ${EXPIRES_IN}`,
} as const;
const URL_SCHEMA = { type: "object", additionalProperties: false, properties: { expires_in: seconds } } as const;
const ANNOUNCE_SCHEMA = {
  type: "object",
  required: ["name", "bytes"],
  additionalProperties: false,
  properties: {
    name: { type: "string" },
    bytes: { type: "integer", minimum: 0, description: "Exact size of the content" },
    content_type: { type: "string" },
    expires_in: seconds,
  },
} as const;
const LIST_SCHEMA = {
  type: "object",
  additionalProperties: false,
  properties: {
    limit: PAGE_SCHEMA.properties.limit,
    cursor: { type: "string", description: "`next_cursor` of the page before" },
  },
} as const;

interface AnnounceBody {
  readonly name: string;
  readonly bytes: number;
  readonly content_type?: string;
  readonly expires_in?: number;
}

const targetOf = (deps: DialectDeps, request: Request) => ({
  accountId: deps.account(request).id,
  id: (request.params as { readonly id: string }).id,
});

function registerUpload(app: App, deps: DialectDeps): void {
  const { files, limits, account } = deps;
  const querystring = { type: "object", properties: { name: { type: "string", description: "Name of the file" } } };
  const summary = "Upload a file: the body as it is, or a form with the part `file`";
  app.post(BASE, { config: { longBody: true }, schema: { tags, summary, querystring } }, async (request) => {
    const { id: accountId } = account(request);
    if (request.isMultipart()) {
      const form = await formOf(request, limits.maxFileBytes);
      const facts = async () => {
        const fields = await form.fields();
        return factsOf(fields["name"] ?? form.filename, form.mimetype, fields);
      };
      return { data: toFileView(await files.upload(accountId, { ...form, facts })) };
    }
    const { name = "" } = request.query as { readonly name?: string };
    const facts = () => factsOf(name, request.headers["content-type"], {});
    return { data: toFileView(await files.upload(accountId, { ...bodyOf(request), facts })) };
  });
}

function registerLinks(app: App, deps: DialectDeps): void {
  const { files, account } = deps;
  const announce = { tags, summary: "Make a link that the content is sent to, by PUT and once", body: ANNOUNCE_SCHEMA };
  app.post(`${BASE}/upload-url`, { schema: announce }, async (request) => {
    const { name, bytes, content_type: type, expires_in: expiresIn = EXPIRES_IN } = request.body as AnnounceBody;
    const announced = { facts: factsOf(name, type, {}), bytes, expiresIn };
    const { file, upload } = await files.awaitUpload(account(request).id, announced);
    return { data: { ...toFileView(file), upload_url: upload.url, expires_in: upload.expiresIn } };
  });
  const link = {
    tags,
    summary: "Make a link that the content can be fetched from without a key",
    params,
    body: URL_SCHEMA,
  };
  app.post(
    `${BASE}/:id/url`,
    {
      schema: link,
      preValidation: async (request) => {
        request.body ??= {};
      },
    },
    async (request) => {
      const { expires_in: asked = EXPIRES_IN } = request.body as { readonly expires_in?: number };
      const { url, expiresIn } = await files.presign(targetOf(deps, request), asked);
      return { data: { url, expires_in: expiresIn } };
    },
  );
}

function registerReading(app: App, deps: DialectDeps): void {
  const { files, engine, account } = deps;
  const list = { tags, summary: "Files, newest first", querystring: LIST_SCHEMA };
  app.get(BASE, { schema: list }, async (request) => {
    const { limit: asked, cursor = null } = request.query as { readonly limit?: string; readonly cursor?: string };
    const { limit } = pageOf(asked === undefined ? {} : { limit: asked });
    const { items, next } = await files.list({ accountId: account(request).id, cursor, limit });
    return { data: items.map(toFileView), pagination: { limit, next_cursor: next } };
  });
  app.get(`${BASE}/:id`, { schema: { tags, summary: "One file", params } }, async (request) => ({
    data: toFileView(await files.find(targetOf(deps, request))),
  }));
  app.route({
    method: ["GET", "HEAD"],
    url: `${BASE}/:id/content`,
    schema: { tags, summary: "The content of a file; a `Range` takes part of it", params },
    handler: async (request, reply) => sendFile(files, await files.find(targetOf(deps, request)), request, reply),
  });
  app.get(
    "/api/v1/runs/:id/files",
    { schema: { tags: ["runs"], summary: "Files that a run wrote", params: RUN_PARAMS } },
    async (request) => {
      const target = runTargetOf(deps, request);
      await engine.findExecution(target);
      return { data: (await files.outputs(target)).map(toFileView) };
    },
  );
}

/** Files of the account: uploaded, and written by runs. Lists have at most {@link MAX_LIMIT} items. */
export function registerFiles(app: App, deps: DialectDeps): void {
  app.register(async (scope) => {
    takeAnyBody(scope as App);
    registerUpload(scope as App, deps);
  });
  registerLinks(app, deps);
  registerReading(app, deps);
  const remove = { tags, summary: "Delete a file; whoever reads it at the moment may finish", params };
  app.delete(`${BASE}/:id`, { schema: remove }, async (request) => {
    await deps.files.remove(targetOf(deps, request));
    return { data: { deleted: true } };
  });
}
