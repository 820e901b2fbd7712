import { fail } from "../../../../runtime/index.ts";
import type { SecretRule, SecretView } from "../../../engine/secrets/secret-service.ts";
import type { App, DialectDeps, Request } from "../dialect.ts";
import { REFS_FIELD } from "./key-body.ts";

const BASE = "/api/v1/secrets";
const tags = ["secrets"];
const NAME = { type: "string", pattern: "^[A-Za-z_][A-Za-z0-9_]{0,127}$", description: "As in `ctx.secrets.NAME`" };
const params = { type: "object", properties: { name: NAME } };

const BODY = {
  type: "object",
  required: ["value"],
  additionalProperties: false,
  properties: {
    value: { type: "string", minLength: 1, description: "Never shown again, not even to an admin" },
    refs: {
      ...REFS_FIELD,
      description: "The only workflows that get it: refs, or beginnings such as `shop-*`; null = all",
    },
    expose: {
      type: "string",
      enum: ["value", "handle"],
      description:
        "`handle`: scripts have a text in its place, which requests to `hosts` alone replace by the value; default: as it was, else `value`",
    },
    hosts: {
      type: "array",
      items: { type: "string" },
      description: "Of a handle: `host` or `*.host`, either with `:port`",
    },
  },
} as const;

interface SecretBody {
  readonly value: string;
  readonly refs?: readonly string[] | null;
  readonly expose?: "value" | "handle";
  readonly hosts?: readonly string[];
}

/** `hosts` alone makes a handle, too. */
function toRule({ value, refs, expose, hosts }: SecretBody): SecretRule {
  if (expose === "value" && hosts !== undefined) {
    const message = 'hosts: a secret with "expose": "value" has none';
    throw fail("INVALID_REQUEST", { message, param: "hosts" });
  }
  const asked = hosts ?? { value: null, handle: [] }[expose ?? "value"];
  const keeps = expose === undefined && hosts === undefined;
  return { value, ...(refs === undefined ? {} : { refs }), ...(keeps ? {} : { hosts: asked }) };
}

const toView = ({ name, refs, hosts, createdAt, updatedAt }: SecretView) => ({
  ...{ name, object: "secret", refs, expose: hosts === null ? "value" : "handle", hosts },
  ...{ created_at: createdAt / 1_000, updated_at: updatedAt / 1_000 },
});

/** Secrets that are kept for runs; their values never come back. */
export function registerSecrets(app: App, deps: DialectDeps): void {
  const { secrets } = deps;
  const keyOf = (request: Request) => ({
    accountId: deps.account(request).id,
    name: (request.params as { readonly name: string }).name,
  });
  app.get(BASE, { schema: { tags, summary: "List stored secrets, without their values" } }, async (request) => ({
    data: secrets.list(deps.account(request).id).map(toView),
  }));
  app.get(
    `${BASE}/:name`,
    { schema: { tags, summary: "One stored secret, without its value", params } },
    async (request) => ({
      data: toView(secrets.find(keyOf(request))),
    }),
  );
  const put = {
    ...{ tags, params, body: BODY },
    summary: "Store or replace a secret",
    description:
      "Every later run of the account's workflows (or of those that `refs` names) has it as `ctx.secrets.NAME`; a secret of the same name in a call goes before it. Sealed on the disk, hidden in logs, chunks, traces and the journal as those of calls are.",
  };
  app.put(`${BASE}/:name`, { schema: put }, async (request) => ({
    data: toView(await secrets.put({ ...keyOf(request), ...toRule(request.body as SecretBody) })),
  }));
  app.delete(`${BASE}/:name`, { schema: { tags, summary: "Delete a stored secret", params } }, async (request) => {
    await secrets.remove(keyOf(request));
    return { data: { deleted: true } };
  });
}
