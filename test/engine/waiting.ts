import type { Invocation } from "../../src/engine/engine.ts";
import type { EventRequest, SentEvent } from "../../src/engine/waiting.ts";
import type { TestCore } from "../support/core.ts";
import { until } from "../support/until.ts";

/** Wraps the body of `execute(ctx)` into a script. */
export const scriptOf = (body: string): string => `export async function execute(ctx) {\n${body}\n}`;

/** Sends an event to the account of a core, or to one execution. */
export function send(
  core: TestCore,
  name: string,
  data: unknown,
  more: Partial<EventRequest> = {},
): Promise<SentEvent> {
  const { accountId } = core;
  return core.waiting.send({ accountId, name, data, id: null, ttlMs: null, executionId: null, ...more });
}

/** Resolves once an execution has reached a status (and, for `waiting`, has that many open waits). */
export async function untilStatus(core: TestCore, executionId: string, status: string, waits = 0): Promise<void> {
  const { accountId, engine, waiting } = core;
  const look = async () => ({
    state: (await engine.findExecution({ accountId, executionId })).state,
    open: (await waiting.waitsOf({ accountId, executionId })).length,
  });
  await until(look, ({ state, open }) => state.status === status && open >= waits);
}

/** Deploys a script and calls it in the background. */
export async function background(core: TestCore, ref: string, body: string): Promise<Invocation> {
  await core.deploy(ref, scriptOf(body));
  return core.invoke(ref, { mode: "background" });
}

/** The output of a completed invocation; its error otherwise. */
export async function outputOf(invocation: Invocation): Promise<unknown> {
  const result = await invocation.result;
  return result.status === "completed" ? JSON.parse(result.output) : result.error;
}
