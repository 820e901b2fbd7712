// The tool-calling loop: the model asks for a function, the script runs it, until the model answers in words.
// The built-in model "echo" calls the first tool once, with the user's text as its argument, so this works offline too.
//   weft run tools --message "Where is order 1002, and what does it cost in dollars?"
import type { ChatMessage, ToolCall, ToolDef, WorkflowContext } from "weft";

const MAX_ROUNDS = 5;
const ORDERS: Record<string, { status: string; eur: number }> = {
  "1001": { status: "delivered", eur: 20 },
  "1002": { status: "in transit", eur: 35 },
};

const tools: ToolDef[] = [
  {
    type: "function",
    function: {
      name: "find_order",
      description: "Status and price in euros of an order.",
      parameters: { type: "object", required: ["id"], properties: { id: { type: "string" } } },
    },
  },
  {
    type: "function",
    function: {
      name: "to_dollars",
      description: "Converts euros to dollars.",
      parameters: { type: "object", required: ["eur"], properties: { eur: { type: "number" } } },
    },
  },
];

const run: Record<string, (args: { id?: string; eur?: number }) => unknown> = {
  // Models write ids in many ways: "1002", "#1002", "order 1002".
  find_order: ({ id = "" }) => ORDERS[/\d+/.exec(id)?.[0] ?? ""] ?? { error: `there is no order ${id}` },
  to_dollars: ({ eur = 0 }) => ({ usd: Math.round(eur * 108) / 100 }),
};

function answer(ctx: WorkflowContext, call: ToolCall): ChatMessage {
  const { name, arguments: json } = call.function;
  const tool = run[name];
  const result = tool === undefined ? { error: `there is no tool ${name}` } : tool(JSON.parse(json));
  ctx.emit("tool", { name, result });
  return { role: "tool", tool_call_id: call.id, content: JSON.stringify(result) };
}

export async function execute(ctx: WorkflowContext) {
  const messages: ChatMessage[] = [...ctx.messages];
  if (messages.length === 0)
    messages.push({ role: "user", content: "Where is order 1002, and what does it cost in dollars?" });

  for (let round = 1; round <= MAX_ROUNDS; round++) {
    const reply = await ctx.chat.completions.create({ messages, tools });
    const message = reply.choices[0].message;
    const calls = message.tool_calls ?? [];
    if (calls.length === 0) return { answer: message.content, rounds: round };
    messages.push(message, ...calls.map((call) => answer(ctx, call)));
  }
  return { answer: null, rounds: MAX_ROUNDS };
}
