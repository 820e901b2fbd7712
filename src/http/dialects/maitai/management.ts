import { fail } from "../../../../runtime/index.ts";
import { checkRef } from "../../key-refs.ts";
import type { App, DialectDeps, MultipartFile, Reply, Request } from "../dialect.ts";
import { createDraft, isDraft } from "../solcognia/drafts.ts";
import { worded } from "../solcognia/worded.ts";
import { listWorkflows } from "../solcognia/workflows.ts";
import { type AttachedDatastores, createAttached, DATASTORE_PART } from "./attached-datastores.ts";
import { DEFAULT_SCRIPT } from "./default-script.ts";
import { inFieldsOfApi } from "./field-names.ts";
import { readForm } from "./form.ts";
import { receiveAccessories } from "./received-accessories.ts";
import { NO_TRANSFORMS } from "./transforms.ts";
import {
  DEFAULT_ENTRY,
  type SchemasBody,
  type SettingsBody,
  toDeployRequest,
  toSchemas,
  toSettings,
  toUpload,
  type UploadBody,
} from "./upload-body.ts";
import { SETTINGS_SCHEMA, UPLOAD_FORM_SCHEMA, UPLOAD_SCHEMA, VALIDATE_SCHEMA } from "./upload-schema.ts";
import { showWorkflow, toDeploymentView, toProblemView, toVersionView, toWorkflowView } from "./workflow-view.ts";

const BASE = "/api/v1/workflows";
const tags = ["workflows"];
const REF = { type: "object", properties: { ref: { type: "string", description: "Ref name, number or UUID" } } };

const refOf = (request: Request) => (request.params as { readonly ref: string }).ref;

function registerUpload(app: App, deps: DialectDeps): void {
  const { workflows, limits } = deps;
  const rules = {
    schema: UPLOAD_FORM_SCHEMA,
    limits,
    maxBytesOf: (): readonly [number, string] => [limits.maxScriptBytes, "maxScriptBytes"],
  };
  const body = {
    content: {
      "application/json": { schema: UPLOAD_SCHEMA },
      "multipart/form-data": { schema: UPLOAD_FORM_SCHEMA },
    },
  };
  const came = new WeakMap<Request, AttachedDatastores>();
  // A form is read before it is checked, so that one set of schemas checks both kinds of upload.
  const preValidation = async (request: Request, reply: Reply) => {
    if (request.isMultipart()) {
      const caller = deps.account(request);
      const attached = createAttached(deps, caller, reply);
      const accessory = receiveAccessories(deps, reply);
      const take = (part: MultipartFile) => {
        if (!part.fieldname.startsWith(DATASTORE_PART)) return accessory(part);
        // Datastores belong to the whole account.
        checkRef(caller, null);
        return attached.take(part);
      };
      came.set(request, attached);
      request.body = await readForm(request, { ...rules, take });
    }
    // Without a content type there is no schema to check a body that is missing.
    if (request.body === undefined) {
      throw fail("INVALID_REQUEST", { message: "body: is required, as JSON or as a form", param: null });
    }
  };
  const upload = async (request: Request) => {
    const received = request.isMultipart()
      ? toUpload(request.body as Readonly<Record<string, unknown>>)
      : { body: request.body as UploadBody, attached: [] };
    const accountId = deps.account(request).id;
    const asked = toDeployRequest(received, { accountId, limits });
    const alsoDatastores = (await came.get(request)?.importAll()) ?? [];
    const deployment = await inFieldsOfApi(workflows.deploy({ ...asked, alsoDatastores }));
    return { data: toDeploymentView(deployment) };
  };
  const summary = "Create or update a workflow: upload a script, its accessories and its datastores";
  const config = { longBody: true };
  app.post(`${BASE}/upload`, { schema: { tags, summary, body }, preValidation, config }, upload);
  const either = { if: { type: "object", required: ["nodes"] }, else: UPLOAD_SCHEMA };
  const both = { content: { ...body.content, "application/json": { schema: either } } };
  const shared = { tags, summary: "Same as upload; with `nodes`, a graph of the SolCognia API", body: both };
  const draft = worded(async (request, reply) => {
    reply.code(201);
    return createDraft(deps, request);
  });
  app.post(BASE, { schema: shared, preValidation, config }, async (request, reply) =>
    isDraft(request.body) ? draft(request, reply) : upload(request),
  );
}

interface ValidateBody extends SchemasBody {
  readonly code: string;
  readonly kind?: string;
  readonly entry?: string;
  readonly files?: UploadBody["files"];
}

function registerChecking(app: App, deps: DialectDeps): void {
  const summary = "Check a script and store nothing; errors of the script come with status 200";
  app.post(`${BASE}/validate`, { schema: { tags, summary, body: VALIDATE_SCHEMA } }, async (request) => {
    const body = request.body as ValidateBody;
    const { code, kind, entry = DEFAULT_ENTRY, files = [] } = body;
    if (kind === "transform") return { data: { ok: false, errors: [{ message: `kind: ${NO_TRANSFORMS}` }] } };
    const upload = { files: [{ path: entry, text: code }, ...files], entry };
    const problems = await deps.workflows.validate(upload, deps.account(request).id, toSchemas(body));
    return { data: { ok: problems.length === 0, errors: problems.map(toProblemView) } };
  });
  app.get(`${BASE}/default-script`, { schema: { tags, summary: "A script to start from" } }, async () => ({
    data: { script: DEFAULT_SCRIPT, language: "typescript" },
  }));
}

const LIST_QUERY = {
  type: "object",
  properties: {
    limit: { type: "string", description: "1 to 100, default 20" },
    offset: { type: "string" },
    category: { type: "string" },
    public: { type: "string", description: "`true`: public workflows of others too, in `workflows` alone" },
  },
} as const;

function registerReading(app: App, deps: DialectDeps): void {
  const { workflows, account } = deps;
  const accountId = (request: Request) => account(request).id;
  const list = { tags, summary: "List workflows, in the forms of two APIs", querystring: LIST_QUERY };
  app.get(BASE, { schema: list }, async (request) => {
    const { page, items, limit, offset } = await listWorkflows(deps, request);
    const own = items.filter(({ isOwn }) => isOwn).map(({ workflow, version }) => toWorkflowView(workflow, version));
    return { ...page, data: own, pagination: { total: page.total, limit, offset } };
  });
  app.get(`${BASE}/:ref`, { schema: { tags, summary: "One workflow", params: REF } }, async (request) => ({
    data: await showWorkflow(workflows, await workflows.find({ accountId: accountId(request), key: refOf(request) })),
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
    const settings = toSettings(request.body as SettingsBody);
    const workflow = await inFieldsOfApi(
      workflows.update({ accountId: accountId(request), key: refOf(request), settings }),
    );
    return { data: await showWorkflow(workflows, workflow) };
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
  registerChecking(app, deps);
  registerReading(app, deps);
  registerChanging(app, deps);
}
