// Waits without using memory: stop the server meanwhile, start it again, and the execution still ends on time.
//   weft run long-sleep --background --input '{"wait":"10m"}'
import type { WorkflowContext } from "weft";

export const inputSchema = { type: "object", properties: { wait: { type: "string" } } };

export async function execute(ctx: WorkflowContext<{ wait?: string } | null>) {
  const wait = ctx.input?.wait ?? "10s";
  const started = new Date().toISOString();
  ctx.emit("waiting", { wait });
  ctx.log("asleep", { wait });
  await ctx.sleep(wait);
  ctx.log("awake");
  return { started, woke: new Date().toISOString(), waited: wait };
}
