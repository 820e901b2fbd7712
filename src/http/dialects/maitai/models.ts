import { fail } from "../../../../runtime/index.ts";
import type { Workflow } from "../../../engine/types.ts";
import type { App, DialectDeps, Request } from "../dialect.ts";

/** The first is documented; the others are for clients whose base URL ends in /v1. */
const BASES = ["/workflow", "/workflow/v1", "/v1"];
const PREFIX = "workflow:";
const PAGE = 1_000;

const params = { type: "object", properties: { id: { type: "string", description: "`workflow:<ref>`" } } };

const toModel = ({ ref, createdAt }: Workflow) => ({
  id: `${PREFIX}${ref}`,
  object: "model",
  created: Math.floor(createdAt / 1_000),
  owned_by: "weft",
});

async function readAll({ workflows }: DialectDeps, accountId: string): Promise<readonly Workflow[]> {
  const found: Workflow[] = [];
  for (;;) {
    const { items } = await workflows.list({ accountId, limit: PAGE, offset: found.length });
    found.push(...items);
    if (items.length < PAGE) return found;
  }
}

async function find({ workflows }: DialectDeps, accountId: string, id: string): Promise<Workflow> {
  const ref = id.startsWith(PREFIX) ? id.slice(PREFIX.length) : id;
  const workflow = await workflows.find({ accountId, key: ref });
  // Workflows are also found by number and UUID, which are no model names.
  if (workflow.ref !== ref || workflow.activeVersionId === null) throw fail("WORKFLOW_NOT_FOUND", { ref });
  return workflow;
}

/** Workflows that can be called, as OpenAI models. */
export function registerModels(app: App, deps: DialectDeps): void {
  const accountOf = (request: Request) => deps.account(request).id;
  for (const base of BASES) {
    const schema = { tags: ["invoke"], ...(base === BASES[0] ? {} : { hide: true }) };
    app.get(`${base}/models`, { schema: { ...schema, summary: "Workflows as models" } }, async (request) => {
      const all = await readAll(deps, accountOf(request));
      return { object: "list", data: all.filter(({ activeVersionId }) => activeVersionId !== null).map(toModel) };
    });
    app.get(
      `${base}/models/:id`,
      { schema: { ...schema, summary: "One workflow as a model", params } },
      async (request) => {
        const { id } = request.params as { readonly id: string };
        return toModel(await find(deps, accountOf(request), id));
      },
    );
  }
}
