import { call } from "../call.ts";
import { emit } from "../emit.ts";
import { makeOpError } from "../errors.ts";
import { NativeError, text } from "../primordials.ts";
import { untilOf } from "./wait-for.ts";

/** Whoever reads the stream learns of the link; a run that may emit nothing more is asked all the same. */
function announce(asked: unknown): void {
  try {
    emit("approval", asked);
  } catch {
    // The run object shows the link, too.
  }
}

/** ctx.approve(question): makes the link, tells the stream of it and waits for the decision. */
export async function approve(question: unknown): Promise<unknown> {
  if (typeof question !== "object" || question === null) {
    const message = `approve: the argument must be an object, got ${text(question)}`;
    throw makeOpError("approve", { code: "INVALID_ARGUMENT", message, details: {} }, new NativeError());
  }
  const { timeout, ...rest } = question as Record<string, unknown>;
  const until = untilOf("approve", timeout);
  const asked = (await call("approve.request", { ...rest, until })) as { readonly id: string };
  announce(asked);
  return call("approve", { id: asked.id, until });
}
