/** A route's schema with the answers that the documentation shows: what it names itself, success and errors. */
export function withAnswers<S extends { readonly response?: unknown }>(schema: S, errorSchema: object): S {
  const own = (schema.response ?? {}) as object;
  const errors = (description: string) => ({ description, ...errorSchema });
  const response = {
    200: { description: "Success" },
    ...own,
    "4xx": errors("The request cannot be done as it is"),
    "5xx": errors("The run failed, or the server cannot do it now"),
  };
  return { ...schema, response };
}

/** Settings of the OpenAPI 3.1 document; its paths come from the schemas that validate. */
export function openApiOptions(version: string) {
  return {
    openapi: {
      openapi: "3.1.0",
      info: {
        title: "Weft",
        version,
        description: 'Runs script workflows. Call one as an OpenAI model: `model: "workflow:<ref>"`.',
        license: { name: "Apache-2.0" },
      },
      tags: [
        { name: "invoke", description: "Run workflows" },
        { name: "workflows", description: "Upload and manage workflows" },
        { name: "runs", description: "Look at runs" },
        { name: "files", description: "Inputs and outputs of workflows" },
        { name: "agents", description: "Define and call agents" },
        { name: "datastores", description: "Stores of records that workflows read" },
        { name: "schedules", description: "Start workflows by the clock" },
        { name: "webhooks", description: "Be told of runs, by Standard Webhooks" },
        { name: "keys", description: "API keys" },
        { name: "secrets", description: "Values that runs get without their callers" },
        { name: "accounts", description: "Accounts, for the owner of the server" },
        { name: "backups", description: "What `weft backup` asks of a running server" },
        { name: "audit", description: "Management actions" },
        { name: "server", description: "Health" },
      ],
      components: {
        securitySchemes: {
          bearer: { type: "http" as const, scheme: "bearer" },
          apiKey: { type: "apiKey" as const, in: "header" as const, name: "x-api-key" },
        },
      },
      security: [{ bearer: [] }, { apiKey: [] }],
    },
    hideUntagged: true,
  };
}
