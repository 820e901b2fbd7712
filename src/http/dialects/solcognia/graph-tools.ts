import { fail } from "../../../../runtime/index.ts";
import type { GraphWorkflow } from "../../../engine/graphs/graph-service.ts";
import type { GraphDialect, GraphProblem } from "../../../graph/types.ts";
import { toIso, toWorkflowId } from "../../ids.ts";
import type { App, DialectDeps, Request } from "../dialect.ts";
import { bodyOf, isFields, optionalText, queryNumber, refuse, requiredText } from "../graph-views/body.ts";

const tags = ["graphs"];
const PATH = "/api/v1/graphs";
const DIALECTS: readonly GraphDialect[] = ["solcognia", "motte", "powabase", "hatz"];
const LIMIT = { usual: 20, min: 1, max: 100 };
const OFFSET = { usual: 0, min: 0, max: 1_000_000 };
const PARAMS = { type: "object", properties: { id: { type: "string", description: "`wf_…`, UUID or ref" } } } as const;

const idOf = (request: Request): string => (request.params as { readonly id: string }).id;

/** The dialect that a body names, else the one whose lists its document has. */
function dialectOf(body: Readonly<Record<string, unknown>>, document: Readonly<Record<string, unknown>>): GraphDialect {
  const { dialect } = body;
  const named = DIALECTS.find((one) => one === dialect);
  if (named !== undefined) return named;
  if (dialect !== undefined && dialect !== null)
    throw refuse("dialect", `must be one of ${DIALECTS.join(", ")}`, dialect);
  if ("blocks" in document) return "powabase";
  if ("steps" in document) return "hatz";
  return "edges" in document && !("connections" in document) ? "motte" : "solcognia";
}

function documentOf(request: Request) {
  const body = bodyOf(request);
  const { document } = body;
  if (!isFields(document))
    throw fail("INVALID_REQUEST", { message: "document: is required, as an object", param: "document" });
  return { body, document, dialect: dialectOf(body, document) };
}

const toRow = ({ workflow, graph, dialect, label, deployed, counts }: GraphWorkflow): Record<string, unknown> => ({
  id: toWorkflowId(workflow.id),
  uuid: workflow.id,
  ref: workflow.ref,
  name: workflow.name,
  dialect,
  version: label,
  nodes: graph?.nodes.length ?? 0,
  edges: graph?.edges.length ?? 0,
  deployed,
  runs: counts.runs,
  updated_at: toIso(workflow.updatedAt),
});

const toSaved = (found: GraphWorkflow & { readonly warnings: readonly GraphProblem[] }) => ({
  data: { ...toRow(found), warnings: found.warnings },
});

const BODY = {
  type: "object",
  properties: {
    document: { description: "Nodes and edges in the form of one of the APIs" },
    dialect: { description: `${DIALECTS.join(", ")}; found by the document's members where it is left out` },
    name: { type: "string" },
    description: { type: "string" },
  },
} as const;

/** Graphs whatever their form: list, check, store, and the script that one is compiled to. */
export function registerGraphTools(app: App, { graphs, account }: DialectDeps): void {
  const accountIdOf = (request: Request) => account(request).id;
  app.get(PATH, { schema: { tags, summary: "Workflows that are graphs" } }, async (request) => {
    const limit = queryNumber(request, "limit", LIMIT);
    const offset = queryNumber(request, "offset", OFFSET);
    const { items, total } = await graphs.list({ accountId: accountIdOf(request), limit, offset });
    const data = items.filter(({ graph }) => graph !== null).map(toRow);
    return { data, pagination: { total, limit, offset } };
  });
  const check = { tags, summary: "Every problem of a graph; nothing is stored", body: BODY };
  app.post(`${PATH}/check`, { schema: check }, async (request) => {
    const { document, dialect } = documentOf(request);
    const { errors, warnings } = graphs.check({ dialect, document });
    return { data: { ok: errors.length === 0, dialect, errors, warnings } };
  });
  app.post(
    PATH,
    { schema: { tags, summary: "Store a graph as a new workflow", body: BODY } },
    async (request, reply) => {
      const { body, document, dialect } = documentOf(request);
      const name = requiredText(body, "name");
      const description = optionalText(body, "description") ?? "";
      reply.code(201);
      return toSaved(await graphs.create({ accountId: accountIdOf(request), name, description, dialect, document }));
    },
  );
  const save = { tags, summary: "Replace the graph of a workflow", params: PARAMS, body: BODY };
  app.put(`${PATH}/:id`, { schema: save }, async (request) => {
    const { document, dialect } = documentOf(request);
    return toSaved(await graphs.saveGraph({ accountId: accountIdOf(request), key: idOf(request), dialect, document }));
  });
  const eject = { tags, summary: "The script that a graph is compiled to", params: PARAMS };
  app.get(`${PATH}/:id/script`, { schema: eject }, async (request) => ({
    data: await graphs.eject({ accountId: accountIdOf(request), key: idOf(request) }),
  }));
}
