import { stopEsbuild } from "../bundle/esbuild.ts";
import type { Bundle } from "../bundle-types.ts";
import { MANIFEST } from "../capabilities/index.ts";
import { createDatastoreAccess } from "../datastores/access.ts";
import { createEgressClient } from "../egress/client.ts";
import { fail } from "../errors.ts";
import type { ExecutionHost, ExecutionJob, ExecutionOutcome } from "../execution.ts";
import { createModelClient } from "../models/client.ts";
import { parseModels } from "../models/config.ts";
import { createMcpSessions } from "../tools/mcp/sessions.ts";
import { createDispatch } from "../worker/dispatch.ts";
import { buildPrelude } from "../worker/host-source.ts";
import { Run } from "../worker/run.ts";
import { Shelf } from "../worker/shelf.ts";
import { createVmHost } from "./vm-host.ts";

/** How an inspected run is set up. */
export interface Inspection {
  readonly bundle: Bundle;
  /** Address of a source file by its path in the upload. */
  readonly addressOf: (path: string) => string;
}

/**
 * Runs an offline job in this process, outside the sandbox, so that its inspector sees the author's files. INVALID_REQUEST for a
 * job that is not `offline`: there is no network and no other service behind it.
 */
export async function runInspected(
  job: ExecutionJob,
  host: ExecutionHost,
  { bundle, addressOf }: Inspection,
): Promise<ExecutionOutcome> {
  if (job.offline !== true) throw fail("INVALID_REQUEST", { message: "offline: only a replay can be inspected" });
  const prelude = await buildPrelude();
  // Offline jobs reach none of them; they are there because every dispatch has them.
  const egress = createEgressClient({ allowPrivate: [] });
  const models = createModelClient(parseModels({ file: null, env: {} }));
  const mcp = createMcpSessions({ egress });
  const datastores = createDatastoreAccess({ root: null, limits: job.limits });
  const dispatch = createDispatch({ egress, models, mcp, datastores });
  const link = { ...host, settle: () => undefined };
  const run = new Run({
    job,
    mode: "execute",
    host: createVmHost({ prelude, manifest: JSON.stringify(MANIFEST), bundle, addressOf }),
    dispatch,
    link,
    shelf: new Shelf({ total: 0 }),
  });
  try {
    return (await run.outcome).outcome;
  } finally {
    await Promise.all([egress.close(), models.close(), mcp.close(), datastores.close(), stopEsbuild()]);
  }
}
