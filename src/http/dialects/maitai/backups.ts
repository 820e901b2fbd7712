import type { BackupHold } from "../../../engine/backups/backup-holds.ts";
import type { App, DialectDeps, Request } from "../dialect.ts";

const BASE = "/api/v1/backups";
const tags = ["backups"];
const params = { type: "object", properties: { id: { type: "string" } } };

const toView = ({ id, dataDir, expiresAt }: BackupHold) => ({
  ...{ id, object: "backup_hold", data_dir: dataDir },
  expires_at: expiresAt / 1_000,
});

const idOf = (request: Request) => (request.params as { readonly id: string }).id;

/** What `weft backup` asks of a running server. */
export function registerBackups(app: App, { backups }: DialectDeps): void {
  const begin = {
    tags,
    summary: "Hold the data directory still so that it can be copied",
    description:
      "For `weft backup` on the server's machine: until it ends, or a minute passed without a renewal, the file of the database does not change (its log grows) and no file is removed. Runs go on.",
  };
  app.post(BASE, { schema: begin }, async (_request, reply) => {
    reply.code(201);
    return { data: toView(await backups.begin()) };
  });
  app.post(
    `${BASE}/:id/renew`,
    { schema: { tags, summary: "Hold it for another minute", params } },
    async (request) => ({
      data: toView(backups.renew(idOf(request))),
    }),
  );
  app.delete(`${BASE}/:id`, { schema: { tags, summary: "Let go", params } }, async (request) => {
    await backups.end(idOf(request));
    return { data: { ended: true } };
  });
}
