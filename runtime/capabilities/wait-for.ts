import { type Fields, invalidIn, isFields, shown } from "./arguments.ts";
import { type Capability, defineOp } from "./capability.ts";

interface WaitArgs {
  readonly name: string;
  readonly match: Fields | null;
  readonly until: number | null;
}

const MAX_NAME_CHARS = 200;
const MAX_PATHS = 20;
const MAX_MATCH_CHARS = 4_096;
/** The last time that a Date can have, ms since the epoch. */
const LAST_TIME = 8_640_000_000_000_000;

const invalid = invalidIn("waitFor");

function parseName(name: unknown): string {
  if (typeof name !== "string" || name === "") throw invalid("name", `must be a non-empty string, got ${shown(name)}`);
  if (name.length > MAX_NAME_CHARS) throw invalid("name", `has ${name.length} characters, over ${MAX_NAME_CHARS}`);
  return name;
}

function parseMatch(match: unknown): Fields | null {
  if (match === undefined || match === null) return null;
  if (!isFields(match)) throw invalid("match", `must be an object of dotted paths and values, got ${shown(match)}`);
  const paths = Object.keys(match);
  if (paths.length > MAX_PATHS) throw invalid("match", `has ${paths.length} paths, over ${MAX_PATHS}`);
  const empty = paths.find((path) => path.split(".").includes(""));
  if (empty !== undefined) throw invalid("match", `has the path ${shown(empty)}, which has an empty part`);
  const { length } = JSON.stringify(match);
  if (length > MAX_MATCH_CHARS) throw invalid("match", `has ${length} characters as JSON, over ${MAX_MATCH_CHARS}`);
  return match;
}

/** The end of a wait, ms since the epoch; null = none. Throws INVALID_ARGUMENT by way of `refuse`. */
export function parseUntil(until: unknown, refuse: ReturnType<typeof invalidIn>): number | null {
  if (until === undefined || until === null) return null;
  if (typeof until === "number" && until >= 0 && until <= LAST_TIME) return until;
  throw refuse("timeout", `must end before ${LAST_TIME} ms since the epoch, got ${shown(until)}`);
}

const wait = defineOp<WaitArgs>({
  effect: "outside",
  parse(args) {
    const { name, match, until } = isFields(args) ? args : { name: args, match: null, until: null };
    return { name: parseName(name), match: parseMatch(match), until: parseUntil(until, invalid) };
  },
  async run({ name, match, until }, { pos, scope, park }) {
    const answer = await scope.wait({ kind: "event", pos, name, match, until });
    if (answer !== null) return answer;
    park(until ?? Number.POSITIVE_INFINITY);
    return scope.waited(pos);
  },
});

/** ctx.waitFor: an event from outside. Waiting for it parks the execution: see worker/run.ts. */
export const waitFor: Capability = {
  name: "waitFor",
  ops: { waitFor: wait },
  declaration: `  /** Waits for an event sent to this run or to the account; null once the timeout has passed. */
  waitFor<T = any>(name: string, options?: WaitOptions & { readonly timeout?: undefined }): Promise<WorkflowEvent<T>>;
  waitFor<T = any>(name: string, options: WaitOptions): Promise<WorkflowEvent<T> | null>;`,
  doc: {
    member: "waitFor(name, { match, timeout })",
    sentence: "Waits for an event sent over the API; waiting uses no memory and survives restarts.",
    limits: ["maxWaits", "maxEventBytes", "maxKeptEvents"],
  },
};
