import type { AgentMembers } from "./agents/members.ts";
import type { AgentDoor } from "./agents/types.ts";
import { call } from "./call.ts";
import { emit, write } from "./emit.ts";
import { makeOpError } from "./errors.ts";
import { executionSignal } from "./events.ts";
import { clock, createExecution, current, type GuestExecution } from "./execution.ts";
import { accessories, loadAccessory } from "./facades/accessories.ts";
import { approve } from "./facades/approve.ts";
import { ChunkStream, createChat } from "./facades/chat.ts";
import { createDatastore } from "./facades/datastore.ts";
import { files } from "./facades/files.ts";
import { createHttp } from "./facades/http.ts";
import { sleep } from "./facades/sleep.ts";
import { waitFor } from "./facades/wait-for.ts";
import { createWorkflow } from "./facades/workflow.ts";
import { createLog } from "./log.ts";
import { defineProperty, freeze, max, NativeError, shift, split } from "./primordials.ts";
import { READ } from "./wire.ts";

/** The data members of ctx, as they arrive. */
export interface CtxData {
  readonly input: unknown;
  readonly messages: readonly unknown[];
  readonly params: object;
  readonly env: object;
  readonly metadata: object;
  readonly session_id: string;
  readonly request_id: string;
  readonly workflow_info: object;
  readonly accessories: readonly string[];
}

/** Stands where a bundle has no code of agents: the script put the name together at run time. */
async function notCompiled(): Promise<never> {
  const message =
    "agents: this script has no agents and no runTools, because its source names neither; write ctx.agents or runTools in full, not a name put together at run time";
  throw makeOpError("agents", { code: "CAPABILITY_DENIED", message, details: {} }, new NativeError());
}

/**
 * Members with more than "arguments in, JSON out"; all others are derived from the manifest. They keep nothing of an
 * execution, so that all executions of a realm share them.
 */
const FACADES: Readonly<Record<string, unknown>> = freeze({
  http: createHttp(),
  chat: createChat(notCompiled),
  agents: { completions: { create: notCompiled }, run: notCompiled },
  workflow: createWorkflow(),
  datastore: createDatastore(),
  accessories,
  load_accessory: loadAccessory,
  files,
  sleep,
  waitFor,
  approve,
});
const LOG = createLog();

/** Adds `ctx.a.b.c = (args) => call("a.b.c", args)` for an op without a facade. */
function derive(ctx: Record<string, unknown>, op: string): void {
  const path = split(op, ".");
  let at = ctx;
  while (path.length > 1) {
    const name = shift(path) as string;
    at[name] ??= {};
    at = at[name] as Record<string, unknown>;
  }
  at[path[0] as string] = (args: unknown) => call(op, args);
}

/** `stream` is no part of a result's cache key: a script that looks at it is not cached. */
function watchStream(params: object): object {
  const stream = (params as { readonly stream?: unknown }).stream;
  return defineProperty(params, "stream", {
    enumerable: stream !== undefined,
    configurable: true,
    get() {
      current().reads |= READ.identity;
      return stream;
    },
  });
}

/** Reading it makes a result depend on who called: noted, so that it is not cached. */
function identity<T>(value: T): T {
  current().reads |= READ.identity;
  return value;
}

/** Members that come with a bundle whose script names them: code of one execution, evaluated with the script. */
export type MoreMembers = (door: AgentDoor) => AgentMembers;

/** What a script with agents has beside the facades. */
function agentMembers(execution: GuestExecution, messages: readonly unknown[], more: MoreMembers): object {
  const { maxTools, maxToolCalls, maxToolTextBytes } = execution.limits;
  const door: AgentDoor = {
    op: call,
    ctx: FACADES,
    messages,
    limits: freeze({ maxTools, maxToolCalls, maxToolTextBytes }),
    error: (code, message, details = {}) => makeOpError("agents", { code, message, details }, new NativeError()),
  };
  const { agents, runTools } = more(freeze(door));
  const { completions } = FACADES["chat"] as { readonly completions: object };
  return { agents, chat: freeze({ completions: freeze({ ...completions, runTools }) }) };
}

/** A realm's executions and what they are given. */
export interface CtxParts {
  readonly data: CtxData;
  readonly secrets: object;
  /** The manifest: the names of the ops that ctx has. */
  readonly ops: readonly string[];
  readonly more?: MoreMembers | undefined;
}

/** Builds the one object a script gets. */
export function createCtx(execution: GuestExecution, { data, secrets, ops, more }: CtxParts): object {
  let signal: unknown = null;
  execution.accessories = data.accessories;
  const ctx: Record<string, unknown> = {
    input: data.input,
    messages: data.messages,
    params: watchStream(data.params),
    env: freeze(data.env),
    metadata: data.metadata,
    secrets: freeze(secrets),
    emit,
    write,
    log: LOG,
    remaining_ms: () => (execution.deadlineAt === null ? Infinity : max(0, execution.deadlineAt - clock())),
    ...FACADES,
    ...(more === undefined ? {} : agentMembers(execution, data.messages, more)),
    get session_id() {
      return identity(data.session_id);
    },
    get sessionId() {
      return identity(data.session_id);
    },
    get request_id() {
      return identity(data.request_id);
    },
    get workflow_info() {
      return identity(data.workflow_info);
    },
    get signal() {
      signal ??= executionSignal();
      return signal;
    },
  };
  for (let i = 0; i < ops.length; i++) {
    const op = ops[i] as string;
    const member = split(op, ".")[0] as string;
    if (!(member in FACADES)) derive(ctx, op);
  }
  return freeze(ctx);
}

const NOBODY: CtxData = {
  input: null,
  messages: [],
  params: {},
  env: {},
  metadata: {},
  session_id: "",
  request_id: "",
  workflow_info: {},
  accessories: [],
};

/**
 * What the executions of one realm share and a script can reach: functions that every ctx has, `weft.op` and classes
 * that only results lead to. A property left on one of them would be read by the next execution.
 */
export function sharedObjects(ops: readonly string[]): unknown[] {
  const limits = {} as GuestExecution["limits"];
  const execution = createExecution({ run: 0, limits, now: 0, deadlineAt: null, seed: "" });
  return [createCtx(execution, { data: NOBODY, secrets: {}, ops }), call, ChunkStream];
}
