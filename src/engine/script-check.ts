import {
  type Bundle,
  type BundleProblem,
  fail,
  type HostProfile,
  type Isolation,
  type ModuleFacts,
  mapStack,
  type Runtime,
  toWorkflowError,
  type Upload,
  type WorkflowError,
} from "../../runtime/index.ts";
import { checkSchedules } from "./schedules/config-schedules.ts";
import { createInputCheck, toJsonSchema } from "./schema.ts";
import { parseScriptConfig } from "./script-config.ts";
import type { ScriptProblem } from "./workflows.ts";

/** A script that can run. */
export interface CheckedScript {
  readonly bundle: Bundle;
  readonly facts: ModuleFacts;
  readonly isolation: Isolation;
}

/** For whom a script is checked. */
export interface CheckFor {
  readonly accountId: string;
  readonly profile: HostProfile;
}

function isolationOf({ frozen }: ModuleFacts, wanted: Isolation | null): Isolation {
  if (wanted === "frozen" && !frozen) {
    const message =
      'config.isolation: "frozen" is not possible: the script cannot be loaded with frozen intrinsics; use "context" or "isolate"';
    throw fail("BUNDLE_FAILED", { message, param: "config.isolation", problems: [] });
  }
  return wanted ?? (frozen ? "frozen" : "context");
}

/** Adds the place in the author's file to an error that loading the script raised. */
function locate(error: WorkflowError, bundle: Bundle): WorkflowError {
  const { stack, ...details } = error.details;
  if (typeof stack !== "string") return error;
  const { frame } = mapStack(bundle.sourceMap, stack, `weft:${bundle.hash}`);
  if (frame === null) return fail("BUNDLE_FAILED", { ...details, message: error.message });
  const problem: BundleProblem = { ...frame, lineText: "", text: error.message };
  const message = `${frame.file}:${frame.line}:${frame.column}: ${error.message}`;
  return fail("BUNDLE_FAILED", { ...details, message, problems: [problem] });
}

/** Bundles a script, loads it in the sandbox and checks what it exports; throws BUNDLE_FAILED or INVALID_WORKFLOW_SCHEMA. */
export async function checkScript(runtime: Runtime, upload: Upload, who: CheckFor): Promise<CheckedScript> {
  const bundle = await runtime.bundle(upload);
  const facts = await runtime.inspect({ bundle, ...who }).catch((thrown: unknown) => {
    throw locate(toWorkflowError(thrown), bundle);
  });
  const config = parseScriptConfig(facts.config);
  checkSchedules(config.schedules, Date.now());
  createInputCheck(facts.inputSchema);
  toJsonSchema(facts.outputSchema, "outputSchema");
  return { bundle, facts, isolation: isolationOf(facts, config.isolation) };
}

/** Codes of what is wrong with a script, or with what came along with it. */
const PROBLEMS = new Set(["BUNDLE_FAILED", "INVALID_WORKFLOW_SCHEMA", "INVALID_REQUEST"]);

/** What is wrong with a script, from the error that checking it raised; rethrows errors that are not the script's. */
export function toProblems(thrown: unknown): readonly ScriptProblem[] {
  const error = toWorkflowError(thrown);
  if (!PROBLEMS.has(error.code)) throw thrown;
  const problems = (error.details["problems"] ?? []) as readonly BundleProblem[];
  if (problems.length === 0) return [{ message: error.message }];
  return problems.map(({ text, ...place }) => ({ message: text, ...place }));
}
