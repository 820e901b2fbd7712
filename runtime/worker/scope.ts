import type { Scope } from "../capabilities/capability.ts";
import type { CtxData, ExecutionJob } from "../execution.ts";
import type { AskFiles } from "../file-request.ts";
import type { RunLink } from "./run-options.ts";

interface CallerData {
  readonly messages: readonly unknown[];
  readonly session_id: string;
  readonly env?: Readonly<Record<string, string>>;
  readonly datastores?: CtxData["datastores"];
}

const NONE: NonNullable<CtxData["datastores"]> = Object.freeze({});

/** The scope of one execution. Its data is parsed only when an op asks for it: most executions make no model call. */
export function createScope(job: ExecutionJob, link: RunLink): Scope {
  let parsed: CallerData | null = null;
  const data = () => {
    parsed ??= JSON.parse(job.data) as CallerData;
    return parsed;
  };
  return {
    job,
    get messages() {
      return data().messages;
    },
    get sessionId() {
      return data().session_id;
    },
    get env() {
      return data().env ?? {};
    },
    get datastores() {
      return data().datastores ?? NONE;
    },
    invoke: link.invoke,
    accessory: link.accessory,
    files: link.files as AskFiles,
    agent: link.agent,
    wait: link.wait,
    waited: link.waited,
    reserve: link.reserve,
    settle: link.settle,
    funded: link.funded,
  };
}
