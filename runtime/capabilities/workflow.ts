import { fail, toWorkflowError } from "../errors.ts";
import type { NestedResult } from "../execution.ts";
import { waitForFunds } from "../worker/spending.ts";
import { type Capability, defineOp, type MeterPatch, type OpCall, type Scope } from "./capability.ts";

interface NestedArgs {
  readonly model: string;
  readonly input: unknown;
  readonly messages: readonly unknown[] | undefined;
  readonly secrets: Readonly<Record<string, string>>;
  readonly metadata: Readonly<Record<string, unknown>>;
  readonly sessionId: string | null;
  readonly noCache: boolean;
}

const FIELDS = new Set(["model", "input", "messages", "secrets", "metadata", "session_id", "no_cache"]);
const OP = "workflow.completions.create";

function invalid(message: string): Error {
  return fail("INVALID_ARGUMENT", { message: `${OP}: ${message}` });
}

function record(value: unknown, field: string): Readonly<Record<string, unknown>> {
  if (value === undefined) return {};
  if (typeof value === "object" && value !== null && !Array.isArray(value)) return value as Record<string, unknown>;
  throw invalid(`${field} must be an object`);
}

function parse(args: unknown): NestedArgs {
  const fields = record(args ?? undefined, "the argument");
  for (const name of Object.keys(fields)) if (!FIELDS.has(name)) throw invalid(`unknown field "${name}"`);
  const { model, input, messages, session_id: session } = fields as { [name: string]: unknown };
  if (typeof model !== "string" || !model.startsWith("workflow:")) {
    throw invalid(`model must be "workflow:<ref>", got ${JSON.stringify(model)}`);
  }
  if (messages !== undefined && !Array.isArray(messages)) throw invalid("messages must be an array");
  const secrets = record(fields["secrets"], "secrets");
  for (const [name, value] of Object.entries(secrets)) {
    if (typeof value !== "string") throw invalid(`secrets.${name} must be a string`);
  }
  return {
    model,
    input,
    messages,
    secrets: secrets as Record<string, string>,
    metadata: record(fields["metadata"], "metadata"),
    sessionId: typeof session === "string" ? session : null,
    noCache: fields["no_cache"] === true,
  };
}

const isCount = (value: unknown): value is number => typeof value === "number" && Number.isFinite(value);

/** A child that failed may have cost something all the same. */
function meterFailure(error: unknown, meter: (patch: MeterPatch) => void): void {
  const { promptTokens, completionTokens, costUsd } = record(toWorkflowError(error).details["usage"], "usage");
  if (isCount(promptTokens) && isCount(completionTokens) && isCount(costUsd)) {
    meter({ promptTokens, completionTokens, costUsd });
  }
}

/** Waits along with a nested execution that waits for money, and joins it again when there may be some. */
async function untilOver(invoke: () => ReturnType<Scope["invoke"]>, call: OpCall): Promise<NestedResult> {
  for (;;) {
    const result = await invoke();
    if (!("parked" in result)) return result;
    await waitForFunds(call, result.parked);
  }
}

const create = defineOp<NestedArgs>({
  effect: "outside",
  sends: true,
  parse,
  async run(args, call) {
    const { job, sessionId } = call.scope;
    const invoke = () =>
      call.scope.invoke({
        parentId: job.executionId,
        parentPos: call.pos,
        accountId: job.accountId,
        depth: job.depth + 1,
        model: args.model,
        input: args.input,
        messages: args.messages,
        secrets: args.secrets,
        metadata: args.metadata,
        sessionId: args.sessionId ?? sessionId,
        noCache: args.noCache,
        deadlineAt: job.deadlineAt,
      });
    const result = await untilOver(invoke, call).catch((error: unknown) => {
      meterFailure(error, call.meter);
      throw error;
    });
    const { promptTokens, completionTokens, costUsd } = result;
    call.meter({ promptTokens, completionTokens, costUsd });
    return result.body;
  },
});

/** ctx.workflow: another workflow of the same account, as an execution of its own. */
export const workflow: Capability = {
  name: "workflow",
  ops: { [OP]: create },
  declaration: `  /** Other workflows of the same account. */
  readonly workflow: { readonly completions: WorkflowCompletions };`,
  doc: {
    member: "workflow.completions.create({ model, input })",
    sentence: "Runs another workflow and returns its completion with `output`.",
    limits: ["maxNesting"],
  },
};
