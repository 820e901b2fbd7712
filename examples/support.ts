// A support agent with three tools: two functions of this script, and a search of the handbook that comes with the agent.
//   weft run support --message "May I send order 1001 back, and when do I get my money?"
// The agent is examples/support/agents/support.json. The built-in model "echo" asks its first tool, the handbook, and repeats the answer.
import type { WorkflowContext } from "weft";

export const config = { datastores: ["handbook"] };

const ORDERS: Record<string, { status: string; eur: number; delivered: string | null }> = {
  "1001": { status: "delivered", eur: 129.9, delivered: "2026-11-10" },
  "1002": { status: "on its way", eur: 35, delivered: null },
  "1003": { status: "delivered", eur: 640, delivered: "2026-11-18" },
};
/** The handbook asks for a person from here on. */
const NEEDS_APPROVAL_EUR = 500;
const QUESTION = "May I send shoes back after I wore them indoors?";
const order = { type: "object", required: ["id"], properties: { id: { type: "string", description: "Order number" } } };

const find = (id: string) => ORDERS[/\d{4}/.exec(id)?.[0] ?? ""] ?? null;

export async function execute(ctx: WorkflowContext) {
  const refunds: { id: string; eur: number; status: string }[] = [];
  const reply = await ctx.agents.completions.create({
    agent: "support",
    messages: ctx.messages.length > 0 ? [...ctx.messages] : [{ role: "user", content: QUESTION }],
    tools: [
      {
        name: "find_order",
        description: "Status, price in euros and day of delivery of an order.",
        parameters: order,
        execute: ({ id }: { id: string }) => find(id) ?? { error: `there is no order ${id}` },
      },
      {
        name: "start_refund",
        description: "Starts the refund of an order.",
        parameters: order,
        execute({ id }: { id: string }) {
          const found = find(id);
          if (found === null) throw new Error(`there is no order ${id}`);
          const status = found.eur > NEEDS_APPROVAL_EUR ? "waits for a team lead" : "started";
          refunds.push({ id, eur: found.eur, status });
          return { status, eur: found.eur };
        },
      },
    ],
  });
  return { answer: reply.choices[0].message.content, refunds };
}
