import type { InvokeRequest } from "../../src/engine/engine.ts";
import { startTestCore } from "./core.ts";

/** What the parent process asks for. */
export interface CoreCommand {
  readonly ref: string;
  /** Present: deploys; absent: invokes. */
  readonly script?: string;
  readonly request?: Partial<InvokeRequest>;
}

/** What it is told: the execution's id once the call is accepted; null for a deployment. */
export interface CoreAnswer {
  readonly executionId: string | null;
}

const core = await startTestCore({ WEFT_DATA_DIR: process.env["WEFT_DATA_DIR"] ?? "" });

const obey = async ({ ref, script, request }: CoreCommand): Promise<CoreAnswer> => {
  if (script !== undefined) {
    await core.deploy(ref, script);
    return { executionId: null };
  }
  return { executionId: (await core.invoke(ref, request)).executionId };
};

process.once("disconnect", () => process.exit(1));
process.on("message", async (command) => process.send?.(await obey(command as CoreCommand)));
process.send?.({ executionId: null });
