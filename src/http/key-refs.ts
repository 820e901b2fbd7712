import { fail } from "../../runtime/index.ts";
import { coversRef } from "../engine/ref-pattern.ts";
import type { Services } from "../engine/services.ts";
import type { Caller } from "../engine/types.ts";
import { parseExecutionId } from "./ids.ts";

/** What is looked at of a request to know which workflow it is about. */
export interface AboutWorkflow {
  readonly method: string;
  /** Pattern of the route. */
  readonly url: string;
  readonly params: Readonly<Record<string, string | undefined>>;
  readonly query: Readonly<Record<string, unknown>>;
  readonly body: unknown;
}

type Finder = (about: AboutWorkflow) => string | null;

const text = (value: unknown): string | null => (typeof value === "string" ? value : null);
const member = (name: string): Finder => {
  return ({ body }) => (typeof body === "object" && body !== null ? text(Reflect.get(body, name)) : null);
};
const param = (name: string): Finder => {
  return ({ params }) => params[name] ?? null;
};
const modelOf: Finder = (about) => /^workflow:([^@]*)/.exec(member("model")(about) ?? "")?.[1] ?? null;
const agentOf: Finder = (about) => {
  const name = ["agent", "agent_id", "model"].map((field) => member(field)(about)).find((value) => value !== null);
  return name == null ? null : `agent:${name.replace(/^agent:/, "").replace(/@.*$/s, "")}`;
};
const modelParam: Finder = ({ params }) => (params["id"] ?? "").replace(/^workflow:/, "");
const filter: Finder = ({ query }) => text(query["workflow"]);

/** Routes by what names the workflow in them: its ref, number, UUID or `wf_…`. */
const BY_WORKFLOW: readonly (readonly [pattern: RegExp, finder: Finder])[] = [
  [/^POST (\/workflow|\/workflow\/v1|\/v1)\/chat\/completions$/, modelOf],
  [/^POST \/agent(\/v1)?\/chat\/completions$/, agentOf],
  [/^GET (\/workflow|\/workflow\/v1|\/v1)\/models\/:id$/, modelParam],
  [/^POST \/api\/v1\/workflows(\/upload)?$/, member("workflow_ref_name")],
  [/^\w+ \/api\/v1\/workflows\/:ref(\/|$)/, param("ref")],
  [/^GET \/api\/v1\/runs$/, filter],
  [/^GET \/api\/v1\/schedules$/, filter],
  [/^POST \/api\/v1\/schedules$/, member("workflow")],
  [/^\w+ \/api\/v1\/workflows\/:wf_id\(/, param("wf_id")],
  [/^\w+ \/api\/v1\/workflows\/:id\//, param("id")],
  [/^\w+ \/api\/v1\/graphs\/:id(\/|$)/, param("id")],
  [/^POST \/v1\/workflows\/run$/, member("app_id")],
  [/^GET \/v1\/app\/:id$/, param("id")],
  [/^POST \/api\/workflows\/execute$/, member("workflow_id")],
  [/^\w+ \/api\/workflows\/:wf_id\(/, param("wf_id")],
  [/^\w+ \/api\/workflows\/:id(\/|$)/, param("id")],
];

/** Routes by what names a run in them. */
const BY_RUN: readonly (readonly [pattern: RegExp, finder: Finder])[] = [
  [/^\w+ \/api\/v1\/runs\/:id(\/|$)/, param("id")],
  [/^GET \/api\/v1\/executions\/:execution$/, param("execution")],
  [/^GET \/api\/workflows\/executions\/:id$/, param("id")],
  [/^GET \/v1\/workflows\/:id$/, param("id")],
  [/^POST \/v1\/workflows\/presigned-url$/, member("job_id")],
];

/** Routes that say nothing of workflows. */
const FREE =
  /^(POST \/api\/v1\/workflows\/validate|POST \/api\/v1\/graphs\/check|GET \/api\/v1\/workflows\/default-script|GET \/api\/v1\/keys\/current)$/;

/** FORBIDDEN when the key is limited to other workflows than `ref`; null = the request is not about one. */
export function checkRef({ key }: Caller, ref: string | null): void {
  if (key.refs === null || (ref !== null && coversRef(key.refs, ref))) return;
  const what = ref === null ? "this request is not about one of them" : `not ${JSON.stringify(ref.slice(0, 100))}`;
  const message = `The API key ${JSON.stringify(key.name)} is limited to the workflows ${key.refs.join(", ")}: ${what}.`;
  throw fail("FORBIDDEN", { message, refs: key.refs });
}

const find = (table: typeof BY_RUN, about: AboutWorkflow): Finder | null =>
  table.find(([pattern]) => pattern.test(`${about.method === "HEAD" ? "GET" : about.method} ${about.url}`))?.[1] ??
  null;

const ofNobody = (code: string): boolean => code === "WORKFLOW_NOT_FOUND" || code === "EXECUTION_NOT_FOUND";

/** What is not there is looked for by what the caller wrote. */
async function orGiven(ref: Promise<string>, given: string): Promise<string> {
  return ref.catch((error: unknown) => {
    if (ofNobody(String((error as { readonly code?: unknown }).code))) return given;
    throw error;
  });
}

type Deps = Pick<Services, "graphs" | "engine">;

/** The ref that a request is about: null where it names none, and the text it gives where there is no such workflow or run. */
async function refOf(about: AboutWorkflow, accountId: string, { graphs, engine }: Deps): Promise<string | null> {
  const key = find(BY_WORKFLOW, about)?.(about) ?? null;
  if (key !== null)
    return orGiven(
      graphs.find({ accountId, key }).then(({ workflow }) => workflow.ref),
      key,
    );
  const run = find(BY_RUN, about)?.(about) ?? null;
  const executionId = run === null ? null : parseExecutionId(run);
  if (executionId === null) return run;
  return orGiven(
    engine.findExecution({ accountId, executionId }).then(({ ref }) => ref),
    executionId,
  );
}

/** For a key that is limited to workflows: FORBIDDEN for a request about another one, or about none in particular. */
export async function checkKeyRefs(caller: Caller, about: AboutWorkflow, deps: Deps): Promise<void> {
  if (caller.key.refs === null || FREE.test(`${about.method} ${about.url}`)) return;
  checkRef(caller, await refOf(about, caller.id, deps));
}
