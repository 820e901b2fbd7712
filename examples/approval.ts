// Asks a person before it goes on: the run waits without using memory, for days if need be, until someone decides.
//   weft run approval --background --input '{"amount":120}'
//   weft approvals; weft approve <id> --data '{"amount":100}'
import type { WorkflowContext } from "weft";

export const inputSchema = { type: "object", properties: { amount: { type: "number" } } };

export async function execute(ctx: WorkflowContext<{ amount?: number } | null>) {
  const amount = ctx.input?.amount ?? 50;
  const decision = await ctx.approve<{ amount: number }>({
    title: `Refund ${amount} €?`,
    description: "The customer says that the parcel never came.",
    data: { amount },
    schema: { type: "object", required: ["amount"], properties: { amount: { type: "number", title: "Amount in €" } } },
    timeout: "7d",
  });
  if (!decision.approved)
    return { refunded: 0, reason: decision.comment ?? (decision.timed_out ? "nobody decided" : "") };
  return { refunded: decision.data.amount, by: decision.by };
}
