import { Ajv2020 } from "ajv/dist/2020.js";
import { afterAll, beforeAll, expect, test } from "vitest";
import { type Service, startService } from "./service.ts";

interface Operation {
  readonly summary?: string;
  readonly parameters?: readonly { readonly name: string; readonly in: string; readonly required?: boolean }[];
  readonly requestBody?: { readonly content: Readonly<Record<string, unknown>> };
  readonly responses?: Readonly<Record<string, unknown>>;
}
interface OpenApi {
  readonly openapi: string;
  readonly paths: Readonly<Record<string, Readonly<Record<string, Operation>>>>;
}

let service: Service;
let document: OpenApi;
beforeAll(async () => {
  service = await startService();
  document = (await (await fetch(`${service.url}/openapi.json`)).json()) as OpenApi;
});
afterAll(() => service.close());

/** What a reference within the document (`#/components/…`) leads to. */
function pick(root: unknown, ref: string): unknown {
  return ref
    .split("/")
    .slice(1)
    .reduce<unknown>((at, name) => (at as Readonly<Record<string, unknown>> | undefined)?.[name], root);
}

test("the OpenAPI document describes every route with the schemas that validate", () => {
  expect(document.openapi).toBe("3.1.0");
  expect(Object.keys(document.paths).toSorted()).toEqual([
    "/agent/chat/completions",
    "/agent/models",
    "/agent/models/{id}",
    "/api/v1/accounts",
    "/api/v1/accounts/{account}",
    "/api/v1/accounts/{account}/budgets",
    "/api/v1/accounts/{account}/budgets/add",
    "/api/v1/accounts/{account}/keys",
    "/api/v1/accounts/{account}/keys/{key}",
    "/api/v1/accounts/{account}/keys/{key}/rotate",
    "/api/v1/agents",
    "/api/v1/agents/{agent}",
    "/api/v1/agents/{agent}/versions",
    "/api/v1/agents/{agent}/versions/{number}/activate",
    "/api/v1/approvals",
    "/api/v1/approvals/{id}",
    "/api/v1/audit",
    "/api/v1/backups",
    "/api/v1/backups/{id}",
    "/api/v1/backups/{id}/renew",
    "/api/v1/budgets",
    "/api/v1/budgets/add",
    "/api/v1/datastores",
    "/api/v1/datastores/{datastore}",
    "/api/v1/datastores/{datastore}/count",
    "/api/v1/datastores/{datastore}/download",
    "/api/v1/datastores/{datastore}/import",
    "/api/v1/datastores/{datastore}/imports",
    "/api/v1/datastores/{datastore}/imports/{id}",
    "/api/v1/datastores/{datastore}/query",
    "/api/v1/datastores/{datastore}/records",
    "/api/v1/datastores/{datastore}/records/delete",
    "/api/v1/datastores/{datastore}/records/get",
    "/api/v1/datastores/{datastore}/records/{id}",
    "/api/v1/datastores/{datastore}/search",
    "/api/v1/events",
    "/api/v1/executions/{execution}",
    "/api/v1/files",
    "/api/v1/files/upload-url",
    "/api/v1/files/{id}",
    "/api/v1/files/{id}/content",
    "/api/v1/files/{id}/url",
    "/api/v1/graphs",
    "/api/v1/graphs/check",
    "/api/v1/graphs/{id}",
    "/api/v1/graphs/{id}/script",
    "/api/v1/keys",
    "/api/v1/keys/current",
    "/api/v1/keys/{key}",
    "/api/v1/keys/{key}/rotate",
    "/api/v1/runs",
    "/api/v1/runs/events",
    "/api/v1/runs/{id}",
    "/api/v1/runs/{id}/budget",
    "/api/v1/runs/{id}/cancel",
    "/api/v1/runs/{id}/chunks",
    "/api/v1/runs/{id}/events",
    "/api/v1/runs/{id}/files",
    "/api/v1/runs/{id}/fork",
    "/api/v1/runs/{id}/logs",
    "/api/v1/runs/{id}/recording",
    "/api/v1/runs/{id}/resume",
    "/api/v1/runs/{id}/stream",
    "/api/v1/runs/{id}/trace",
    "/api/v1/schedules",
    "/api/v1/schedules/{id}",
    "/api/v1/schedules/{id}/pause",
    "/api/v1/schedules/{id}/resume",
    "/api/v1/schedules/{id}/run",
    "/api/v1/schedules/{id}/runs",
    "/api/v1/secrets",
    "/api/v1/secrets/{name}",
    "/api/v1/webhook-deliveries",
    "/api/v1/webhook-deliveries/{id}",
    "/api/v1/webhook-deliveries/{id}/replay",
    "/api/v1/webhooks",
    "/api/v1/webhooks/secret/rotate",
    "/api/v1/webhooks/{id}",
    "/api/v1/webhooks/{id}/rotate",
    "/api/v1/workflows",
    "/api/v1/workflows/default-script",
    "/api/v1/workflows/from-template",
    "/api/v1/workflows/templates",
    "/api/v1/workflows/templates/{template}",
    "/api/v1/workflows/templates/{template}/create",
    "/api/v1/workflows/upload",
    "/api/v1/workflows/validate",
    "/api/v1/workflows/{id}/execute",
    "/api/v1/workflows/{id}/executions",
    "/api/v1/workflows/{id}/executions/{execution}",
    "/api/v1/workflows/{id}/rating",
    "/api/v1/workflows/{ref}",
    "/api/v1/workflows/{ref}/check",
    "/api/v1/workflows/{ref}/runs",
    "/api/v1/workflows/{ref}/versions",
    "/api/v1/workflows/{ref}/versions/{version}/activate",
    "/api/v1/workflows/{wf_id}",
    "/api/webhooks/{id}",
    "/api/workflows",
    "/api/workflows/create",
    "/api/workflows/execute",
    "/api/workflows/executions/{id}",
    "/api/workflows/{id}",
    "/api/workflows/{id}/arm",
    "/api/workflows/{id}/deploy",
    "/api/workflows/{id}/execute",
    "/api/workflows/{id}/execute/stream",
    "/api/workflows/{id}/executions",
    "/api/workflows/{id}/executions/{execution}/logs",
    "/api/workflows/{id}/graph",
    "/api/workflows/{id}/undeploy",
    "/api/workflows/{wf_id}",
    "/approve/{token}",
    "/livez",
    "/readyz",
    "/v1/app/list",
    "/v1/app/{id}",
    "/v1/files/upload",
    "/v1/files/upload-url",
    "/v1/files/{id}/content",
    "/v1/files/{id}/status",
    "/v1/workflows/presigned-url",
    "/v1/workflows/run",
    "/v1/workflows/{id}",
    "/workflow/chat/completions",
    "/workflow/models",
    "/workflow/models/{id}",
  ]);
  const upload = document.paths["/api/v1/workflows/upload"]?.["post"]?.requestBody?.content;
  expect(Object.keys(upload ?? {})).toEqual(["application/json", "multipart/form-data"]);
  const invoke = document.paths["/workflow/chat/completions"]?.["post"];
  expect(JSON.stringify(invoke?.requestBody)).toContain("on_disconnect");
  expect(Object.keys(invoke?.responses ?? {})).toEqual(["200", "202", "4XX", "5XX"]);
  expect(JSON.stringify(invoke?.responses)).toContain("request_id");
});

test("every schema and parameter of the OpenAPI document holds together", () => {
  const ajv = new Ajv2020({ strict: false, validateFormats: false });
  let schemas = 0;
  const walk = (value: unknown, at: string): void => {
    if (typeof value !== "object" || value === null) return;
    for (const [name, member] of Object.entries(value)) {
      if (name === "$ref") expect(pick(document, String(member)), `${at}: ${member}`).toBeDefined();
      if (name === "schema") {
        schemas++;
        expect(ajv.validateSchema(member as object), `${at}: ${ajv.errorsText()}`).toBe(true);
      }
      walk(member, `${at}/${name}`);
    }
  };
  walk(document, "#");
  expect(schemas).toBeGreaterThan(50);
  for (const [path, methods] of Object.entries(document.paths)) {
    const inPath = [...path.matchAll(/\{(\w+)\}/g)].map((match) => match[1]);
    for (const { parameters = [], responses = {}, summary } of Object.values(methods)) {
      expect(parameters.filter((one) => one.in === "path" && one.required).map(({ name }) => name)).toEqual(inPath);
      expect(summary, path).toBeTruthy();
      for (const code of Object.keys(responses)) expect(code).toMatch(/^[1-5](\d\d|XX)$/);
    }
  }
});
