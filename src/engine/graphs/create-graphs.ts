import { type BundleProblem, fail, type WorkflowError } from "../../../runtime/index.ts";
import { compileGraph } from "../../graph/compile.ts";
import { inspectGraph, parseGraph } from "../../graph/parse-graph.ts";
import { invalidGraph } from "../../graph/problems.ts";
import type { CompiledGraph, Graph, GraphDialect } from "../../graph/types.ts";
import type { Store, Workflow } from "../../store/store.ts";
import type { DatastoreService } from "../datastores/datastore-service.ts";
import type { Deploy } from "../deploy.ts";
import type { Engine } from "../engine.ts";
import type { ScheduleService } from "../schedules/schedule-service.ts";
import { createTurns } from "../turns.ts";
import type { WorkflowService } from "../workflows.ts";
import { ensureDatastore } from "./ensure-datastore.ts";
import { freeRef } from "./graph-ref.ts";
import { createGraphRuns } from "./graph-runs.ts";
import type { GraphFields, GraphKey, GraphService, GraphWorkflow } from "./graph-service.ts";
import { inputsOf, listedOf, toGraphWorkflow, toWorkflowKey } from "./graph-workflow.ts";
import { syncStarter } from "./starter-schedules.ts";
import { createTriggers } from "./triggers.ts";
import { triggersOf, withWebhookKeys } from "./webhook-blocks.ts";

/** What the graph service stands on. */
export interface GraphOptions {
  readonly store: Store;
  readonly engine: Engine;
  readonly workflows: WorkflowService;
  readonly schedules: ScheduleService;
  readonly deploy: Deploy;
  readonly datastores: Pick<DatastoreService, "create">;
  /** How long the window of a webhook is open, ms. */
  readonly armWindowMs: number;
}

/** The datastore that is made when a graph asks for it and there is none. */
const MADE_DATASTORE = "memory";

const EMPTY: Readonly<Record<GraphDialect, object>> = {
  solcognia: { nodes: [], connections: [] },
  motte: { nodes: [], edges: [] },
  powabase: { blocks: [], edges: [] },
  hatz: { steps: [] },
};

/** `1.9` → `1.10`; a name that is no number gets one. */
export function nextLabel(label: string): string {
  const match = /^(.*?)(\d+)$/.exec(label.includes(".") ? label : `${label}.0`);
  return match === null ? `${label}.1` : `${match[1]}${Number(match[2]) + 1}`;
}

/** The bundler's complaints about an author's script, at its place in the document. */
function inDocument(error: unknown, { scripts }: CompiledGraph): unknown {
  const { code, details, message = "" } = error as Partial<WorkflowError>;
  const isSchedule = String(details?.["param"] ?? "").startsWith("config.schedule");
  if (isSchedule) return invalidGraph([{ path: "settings.schedule", message }]);
  const problems = (details?.["problems"] ?? []) as readonly BundleProblem[];
  if (code !== "BUNDLE_FAILED" || problems.length === 0) return error;
  return invalidGraph(
    problems.map(({ file, line, text }) => {
      const path = Object.hasOwn(scripts, file) ? scripts[file] : undefined;
      return path === undefined ? { path: "graph", message: text } : { path, message: `line ${line}: ${text}` };
    }),
  );
}

interface Saving {
  readonly accountId: string;
  readonly ref: string;
  readonly graph: Graph;
  readonly fields: GraphFields;
  readonly label: string;
  readonly revision: number;
}

const factsOf = ({ category, isPublic, color, variables }: GraphFields) => ({
  ...(category === undefined ? {} : { category }),
  ...(isPublic === undefined ? {} : { isPublic }),
  ...(color === undefined ? {} : { color }),
  ...(variables === undefined ? {} : { variables: JSON.stringify(variables) }),
});

const settingsOf = ({ name, description }: GraphFields) => ({
  ...(name === undefined ? {} : { name }),
  ...(description === undefined ? {} : { description }),
});

type Definitions = Pick<GraphService, "create" | "saveGraph">;

/** Makes the functions that store graphs; those of one account take turns. */
function createSaving(options: GraphOptions, find: GraphService["find"]): Definitions {
  const { store, deploy } = options;
  const ensure = ensureDatastore(options.datastores);
  const inTurn = createTurns();

  const save = async ({ accountId, ref, graph, fields, label, revision }: Saving): Promise<void> => {
    const compiled = compileGraph(graph);
    if (compiled.datastores.includes(MADE_DATASTORE)) await ensure(accountId, MADE_DATASTORE);
    const text = JSON.stringify(graph);
    const facts = { dialect: graph.dialect, label, revision, triggers: triggersOf(graph), ...factsOf(fields) };
    try {
      await deploy({
        ...{ accountId, ref, upload: compiled.upload, accessories: [], datastores: compiled.datastores },
        settings: { ...settingsOf(fields), validateInput: graph.inputs.length > 0 },
        ...{ publish: true, bump: "minor", notes: `graph ${label}` },
        beside: ({ workflowId, versionId }) =>
          store.putGraph({ workflowId, accountId, ...facts, document: { versionId, text } }),
      });
    } catch (error) {
      throw inDocument(error, compiled);
    }
  };

  return {
    create: ({ accountId, dialect, document, label = "1.0", ...fields }) =>
      inTurn(accountId, async () => {
        const { graph, warnings } = parseGraph({ dialect, document: document ?? EMPTY[dialect] });
        const ref = await freeRef(accountId, fields.name, store);
        await save({ accountId, ref, graph: withWebhookKeys(graph, null), fields, label, revision: 1 });
        return { ...(await find({ accountId, key: ref })), warnings };
      }),
    saveGraph: ({ accountId, key, dialect, document, ...fields }) =>
      inTurn(accountId, async () => {
        const { graph: read, warnings } = parseGraph({ dialect, document });
        const known = await find({ accountId, key });
        if (known.version !== null && known.graph === null) {
          const message = `${known.workflow.ref} is a script: its graph cannot be replaced. Upload a new version of the script instead.`;
          throw fail("CONFLICT", { message, param: "graph" });
        }
        const graph = withWebhookKeys(read, known.graph);
        const changed = JSON.stringify(graph) !== JSON.stringify(known.graph);
        const { ref } = known.workflow;
        const label = changed ? nextLabel(known.label) : known.label;
        const revision = known.revision + (changed ? 1 : 0);
        await save({ accountId, ref, graph, fields, label, revision });
        if (known.deployed) await syncStarter(known.workflow, graph, { schedules: options.schedules, deployed: true });
        return { ...(await find({ accountId, key: ref })), warnings, changed };
      }),
  };
}

type Publishing = Pick<GraphService, "update" | "remove" | "rate" | "deploy" | "undeploy" | "arm">;

const MIN_STARS = 1;
const MAX_STARS = 5;

function createPublishing(options: GraphOptions, find: GraphService["find"]): Publishing {
  const { store, workflows, schedules, armWindowMs } = options;
  const publish = async (key: GraphKey, deployed: boolean): Promise<GraphWorkflow> => {
    const { workflow, version, graph } = await find(key);
    const { accountId, id: workflowId } = workflow;
    const published = deployed ? { publishedVersionId: version?.id ?? null } : {};
    await syncStarter(workflow, graph, { schedules, deployed });
    await store.putGraph({ workflowId, accountId, deployed, armedUntil: null, ...published });
    return find(key);
  };
  return {
    async update({ accountId, key, ...fields }) {
      const { workflow } = await find({ accountId, key });
      const settings = settingsOf(fields);
      const changed = workflows.update({ accountId, key: workflow.ref, settings });
      await Promise.all([changed, store.putGraph({ workflowId: workflow.id, accountId, ...factsOf(fields) })]);
      return find({ accountId, key });
    },
    async remove(key) {
      const { workflow } = await find(key);
      const own = { accountId: key.accountId, key: workflow.ref };
      await workflows.remove(own);
    },
    async rate({ stars, ...key }) {
      if (!Number.isInteger(stars) || stars < MIN_STARS || stars > MAX_STARS) {
        const message = `rating: must be an integer from ${MIN_STARS} to ${MAX_STARS}, got ${JSON.stringify(stars)}`;
        throw fail("INVALID_REQUEST", { message, param: "rating" });
      }
      const { workflow } = await find({ ...key, withPublic: true });
      await store.rateWorkflow({ accountId: key.accountId, workflowId: workflow.id, stars });
      return find({ ...key, withPublic: true });
    },
    deploy: (key) => publish(key, true),
    undeploy: (key) => publish(key, false),
    async arm(key) {
      const { workflow } = await find(key);
      const armedUntil = Date.now() + armWindowMs;
      await store.putGraph({ workflowId: workflow.id, accountId: workflow.accountId, armedUntil });
      return armedUntil;
    },
  };
}

function createFind(store: Store): GraphService["find"] {
  return async ({ accountId, key, withPublic = false }) => {
    const id = toWorkflowKey(key);
    const own = await store.findWorkflow({ accountId, key: id });
    if (own !== null) return toGraphWorkflow(await listedOf(own, store), accountId, store);
    const shared = withPublic ? await store.findPublicGraph({ workflowId: id }) : null;
    if (shared === null) throw fail("WORKFLOW_NOT_FOUND", { ref: key });
    return toGraphWorkflow(shared, accountId, store);
  };
}

async function publishedNumber(
  { publishedVersionId: versionId, workflow }: GraphWorkflow,
  store: Store,
): Promise<string | null> {
  if (versionId === null) return null;
  const version = await store.findVersion({ accountId: workflow.accountId, versionId });
  return version?.number ?? null;
}

function createRun({ store, engine }: GraphOptions, find: GraphService["find"]): GraphService["run"] {
  return async ({ accountId, key, version, keyName, context, fresh, ...call }) => {
    const found = await find({ accountId, key });
    const { ref } = found.workflow as Workflow;
    return engine.invoke({
      ...{ accountId, ref, key: keyName, messages: [], secrets: {}, metadata: context, budget: null },
      version: version === "published" ? await publishedNumber(found, store) : null,
      params: call.mode === "stream" ? { stream: true } : {},
      cache: fresh ? "no-store" : "default",
      ...{ retry: false, priority: 0, runAt: null, timeoutReplaces: call.timeoutMs !== null },
      ...call,
    });
  };
}

/** Makes the service of graphs. */
export function createGraphs(options: GraphOptions): GraphService {
  const { store } = options;
  const find = createFind(store);
  const run = createRun(options, find);
  return {
    ...createSaving(options, find),
    ...createPublishing(options, find),
    ...createGraphRuns(options),
    check(document) {
      const { errors, warnings } = inspectGraph(document).problems;
      return { errors, warnings };
    },
    find,
    run,
    trigger: createTriggers({ store, run, now: Date.now }),
    async list({ accountId, withPublic = false, category = null, query = null, ...rest }) {
      const { sort = "created_at", order = "desc", limit, offset } = rest;
      const page = await store.listGraphs({ accountId, withPublic, category, query, sort, order, limit, offset });
      const items = await Promise.all(page.items.map((listed) => toGraphWorkflow(listed, accountId, store)));
      return { items, total: page.total };
    },
    async eject(key) {
      const { graph, workflow } = await find({ ...key, withPublic: true });
      if (graph !== null) return compileGraph(graph).upload;
      throw fail("CONFLICT", { message: `${workflow.ref} is a script already; weft list shows what is a graph.` });
    },
    inputsOf,
  };
}
