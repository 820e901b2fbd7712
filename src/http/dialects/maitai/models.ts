import type { Workflow } from "../../../engine/types.ts";
import type { App, DialectDeps, Request } from "../dialect.ts";
import { parseModel } from "./invoke-request.ts";

const BASES = ["/workflow", "/workflow/v1", "/v1"];
const PAGE = 1_000;

const toModel = (workflow: Workflow) => ({
  id: `workflow:${workflow.ref}`,
  object: "model",
  created: Math.floor(workflow.createdAt / 1_000),
  owned_by: "weft",
});

async function all(deps: DialectDeps, request: Request): Promise<readonly Workflow[]> {
  const accountId = deps.account(request).id;
  const found: Workflow[] = [];
  for (;;) {
    const page = await deps.workflows.list({ accountId, limit: PAGE, offset: found.length });
    found.push(...page.items);
    if (page.items.length < PAGE) return found;
  }
}

/** Workflows as OpenAI models. */
export function registerModels(app: App, deps: DialectDeps): void {
  BASES.forEach((base, i) => {
    const hide = i === 0 ? {} : { hide: true };
    app.get(
      `${base}/models`,
      { schema: { tags: ["invoke"], summary: "Workflows as models", ...hide } },
      async (request) => ({
        object: "list",
        data: (await all(deps, request)).filter((workflow) => workflow.activeVersionId !== null).map(toModel),
      }),
    );
    app.get(
      `${base}/models/*`,
      { schema: { tags: ["invoke"], summary: "One workflow as a model", ...hide } },
      async (request) => {
        const { ref } = parseModel((request.params as { readonly "*": string })["*"]);
        return toModel(await deps.workflows.find({ accountId: deps.account(request).id, key: ref }));
      },
    );
  });
}
