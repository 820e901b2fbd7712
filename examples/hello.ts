// The smallest workflow: input in, a value out.
//   weft run hello --input '{"name":"Ada"}'
import type { WorkflowContext } from "weft";

export const inputSchema = { type: "object", properties: { name: { type: "string" } } };

export function execute(ctx: WorkflowContext<{ name?: string } | null>) {
  const name = ctx.input?.name ?? "world";
  ctx.log("greeting", { name });
  return { greeting: `Hello, ${name}!` };
}
