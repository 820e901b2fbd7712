import { fail } from "../../../../runtime/index.ts";
import type { Reply } from "../dialect.ts";

/** A signal that aborts when the client goes away before it has its answer. */
export function goneSignal(reply: Reply): AbortSignal {
  const controller = new AbortController();
  const leave = () => {
    if (!reply.raw.writableFinished)
      controller.abort(fail("EXECUTION_CANCELLED", { message: "The client went away." }));
  };
  if (reply.raw.destroyed) leave();
  else reply.raw.once("close", leave);
  return controller.signal;
}
