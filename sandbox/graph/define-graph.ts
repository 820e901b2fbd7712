import { Events } from "./events.ts";
import { Schedule } from "./schedule.ts";
import { Slots } from "./slots.ts";
import type { GraphCtx, GraphSpec, Scope } from "./types.ts";

type Fields = Readonly<Record<string, unknown>>;

const isFields = (value: unknown): value is Fields =>
  typeof value === "object" && value !== null && !Array.isArray(value);

/** The text that the last user message says; null where there is none. */
function lastSaid(messages: readonly unknown[]): string | null {
  for (let i = messages.length - 1; i >= 0; i--) {
    const { role, content } = messages[i] as { readonly role?: unknown; readonly content?: unknown };
    if (role === "user") return typeof content === "string" ? content : JSON.stringify(content ?? null);
  }
  return null;
}

/** Input of a run: what was sent, else what the last message says; defaults fill what is missing. */
function inputOf({ inputName, defaults }: GraphSpec, ctx: GraphCtx): unknown {
  const sent = ctx.input ?? lastSaid(ctx.messages);
  const input = typeof sent === "string" && typeof inputName === "string" ? { [inputName]: sent } : sent;
  if (defaults === undefined || (input !== null && !isFields(input))) return input;
  const given = Object.fromEntries(
    Object.entries(input ?? {}).filter(([, value]) => value !== undefined && value !== null),
  );
  return {
    ...defaults,
    ...input,
    ...Object.fromEntries(Object.entries(defaults).filter(([name]) => !(name in given))),
  };
}

interface Files {
  read(id: string): Promise<string>;
}

/** Inputs that are files become their text. */
async function withFiles(input: unknown, names: readonly string[], ctx: GraphCtx): Promise<unknown> {
  if (!isFields(input)) return input;
  const { read } = ctx["files"] as Files;
  const texts = await Promise.all(
    names
      .filter((name) => typeof input[name] === "string" && input[name] !== "")
      .map(async (name) => [name, await read(input[name] as string)] as const),
  );
  return { ...input, ...Object.fromEntries(texts) };
}

function contextOf(ctx: GraphCtx): Fields {
  const context = { ...ctx.metadata };
  if (Object.hasOwn(context, "session_id")) return context;
  // Reading the session's id makes a run impure: only where a graph asks for it.
  return Object.defineProperty(context, "session_id", { enumerable: false, get: () => ctx.session_id });
}

/** Nodes that no edge leads on from. */
const lastOf = ({ nodes, edges }: GraphSpec): readonly string[] =>
  Object.keys(nodes).filter((id) => !edges.some((edge) => edge.from === id));

/** One value as it is, several by id, none as null. */
function oneOrAll(ids: readonly string[], values: Fields): unknown {
  const found = ids.filter((id) => Object.hasOwn(values, id));
  if (found.length === 0) return null;
  return found.length === 1 ? values[found[0] as string] : Object.fromEntries(found.map((id) => [id, values[id]]));
}

function resultOf(spec: GraphSpec, values: Fields): unknown {
  const outputs = Object.keys(spec.nodes).filter((id) => spec.nodes[id]?.kind === "output");
  if (spec.result === "nodes") return { ...values };
  if (spec.result === "last") return oneOrAll(lastOf(spec), values);
  if (spec.result === "output") return oneOrAll(outputs.length === 0 ? lastOf(spec) : outputs, values);
  const answered = outputs.find((id) => Object.hasOwn(values, id));
  return answered === undefined ? null : ((values[answered] as Fields)["output"] ?? null);
}

/** Makes `execute` of a graph. */
export function defineGraph(spec: GraphSpec): (ctx: GraphCtx) => Promise<unknown> {
  return async (ctx) => {
    const sent = inputOf(spec, ctx);
    const input = spec.files === undefined ? sent : await withFiles(sent, spec.files, ctx);
    const events = new Events(ctx["emit"] as (type: string, content: unknown) => void);
    const shared = {
      ctx,
      events,
      slots: new Slots(spec.parallelLimit),
      retries: spec.retries,
      streams: () => ctx.params["stream"] === true,
    };
    const { env, secrets } = ctx;
    const scope: Omit<Scope, "upstream"> = { input, context: contextOf(ctx), env, secrets, nodes: {} };
    return resultOf(spec, await new Schedule(spec, shared, { scope, prefix: "" }).run());
  };
}
