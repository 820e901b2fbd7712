import type { Upload } from "../../../../runtime/index.ts";
import type { App, DialectDeps, Request } from "../dialect.ts";
import { DEFAULT_SCRIPT } from "./default-script.ts";
import { readMultipart } from "./multipart.ts";
import { PAGE_SCHEMA, type PageQuery, pageOf } from "./paging.ts";
import { SETTINGS_PROPERTIES, toDeployRequest, toSettings, UPLOAD_SCHEMA, type UploadBody } from "./upload-body.ts";
import { showWorkflow, toVersionView } from "./workflow-view.ts";

const BASE = "/api/v1/workflows";
const tags = ["workflows"];
const REF = { type: "object", properties: { ref: { type: "string", description: "Ref name, id or number" } } };
const SETTINGS_SCHEMA = { type: "object", additionalProperties: false, properties: SETTINGS_PROPERTIES };
const VALIDATE_SCHEMA = {
  type: "object",
  required: ["code"],
  properties: {
    code: { type: "string" },
    kind: { type: "string", enum: ["execute", "bundle"] },
    entry: { type: "string" },
    files: UPLOAD_SCHEMA.properties.files,
  },
};

interface ValidateBody {
  readonly code: string;
  readonly entry?: string;
  readonly files?: UploadBody["files"];
}

const refOf = (request: Request) => (request.params as { readonly ref: string }).ref;

function toUpload({ code, entry, files }: ValidateBody): Upload {
  const name = entry ?? "workflow.ts";
  return { files: [{ path: name, text: code }, ...(files ?? [])], entry: name };
}

function registerUpload(app: App, deps: DialectDeps): void {
  const { workflows, limits } = deps;
  const upload = async (request: Request) => {
    const accountId = deps.account(request).id;
    const { body, accessories } = request.isMultipart()
      ? await readMultipart(request, limits)
      : { body: request.body as UploadBody, accessories: [] };
    if (request.isMultipart()) deps.validate(request, UPLOAD_SCHEMA, body);
    const { workflow, version, created } = await workflows.deploy(
      toDeployRequest(body, accessories, { accountId, limits }),
    );
    return {
      data: {
        id: workflow.number,
        uuid: workflow.id,
        workflow_ref_name: workflow.ref,
        workflow_name: workflow.name,
        published_version: { id: version.id, version_number: version.number },
        active: workflow.activeVersionId === version.id,
        version_created: created,
        bundle_sha256: version.bundleHash,
        isolation: version.isolation,
      },
    };
  };
  const summary = "Create or update a workflow (JSON, or multipart with script_file, files, accessory_<key>)";
  // A multipart body is checked by the handler, with the same schema.
  const schema = {
    tags,
    summary,
    consumes: ["application/json", "multipart/form-data"],
    body: { content: { "application/json": { schema: UPLOAD_SCHEMA } } },
  };
  app.post(`${BASE}/upload`, { schema }, upload);
  app.post(BASE, { schema: { ...schema, summary: "Create a workflow (same as upload)" } }, upload);
}

function registerReading(app: App, { workflows, account }: DialectDeps): void {
  const accountId = (request: Request) => account(request).id;
  app.get(BASE, { schema: { tags, summary: "List workflows", querystring: PAGE_SCHEMA } }, async (request) => {
    const page = pageOf(request.query as PageQuery);
    const found = await workflows.list({ accountId: accountId(request), ...page });
    const data = await Promise.all(found.items.map(({ ref }) => showWorkflow(workflows, accountId(request), ref)));
    return { data, pagination: { total: found.total, ...page } };
  });
  app.get(`${BASE}/:ref`, { schema: { tags, summary: "One workflow", params: REF } }, async (request) => ({
    data: await showWorkflow(workflows, accountId(request), refOf(request)),
  }));
  app.get(
    `${BASE}/:ref/versions`,
    { schema: { tags, summary: "Versions, newest first", params: REF } },
    async (request) => {
      const workflow = await workflows.find({ accountId: accountId(request), key: refOf(request) });
      const versions = await workflows.versions({ accountId: accountId(request), key: workflow.ref });
      return { data: versions.map((version) => toVersionView(version, workflow.activeVersionId)) };
    },
  );
}

function registerChanging(app: App, { workflows, account }: DialectDeps): void {
  const accountId = (request: Request) => account(request).id;
  const update = { tags, summary: "Change settings", params: REF, body: SETTINGS_SCHEMA };
  app.put(`${BASE}/:ref`, { schema: update }, async (request) => {
    const settings = toSettings(request.body as UploadBody);
    const workflow = await workflows.update({ accountId: accountId(request), key: refOf(request), settings });
    return { data: await showWorkflow(workflows, accountId(request), workflow.ref) };
  });
  app.delete(
    `${BASE}/:ref`,
    { schema: { tags, summary: "Delete a workflow and its runs", params: REF } },
    async (request) => {
      await workflows.remove({ accountId: accountId(request), key: refOf(request) });
      return { data: { deleted: true } };
    },
  );
  const activate = { tags, summary: "Make a version the active one" };
  app.post(`${BASE}/:ref/versions/:version/activate`, { schema: activate }, async (request) => {
    const { version: number } = request.params as { readonly version: string };
    const version = await workflows.activate({ accountId: accountId(request), key: refOf(request), number });
    return { data: toVersionView(version, version.id) };
  });
}

/** Definitions: upload, validate, list, versions, settings, delete. */
export function registerManagement(app: App, deps: DialectDeps): void {
  registerUpload(app, deps);
  registerReading(app, deps);
  registerChanging(app, deps);
  app.post(
    `${BASE}/validate`,
    { schema: { tags, summary: "Check a script; stores nothing", body: VALIDATE_SCHEMA } },
    async (request) => {
      const errors = await deps.workflows.validate(toUpload(request.body as ValidateBody), deps.account(request).id);
      return { data: { ok: errors.length === 0, errors } };
    },
  );
  app.get(`${BASE}/default-script`, { schema: { tags, summary: "A script to start from" } }, async () => ({
    data: { script: DEFAULT_SCRIPT, language: "typescript" },
  }));
}
