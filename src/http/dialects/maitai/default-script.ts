/** The template a newcomer starts from: input, a model call, a chunk, a result. */
export const DEFAULT_SCRIPT = `import type { WorkflowContext } from "weft";

export const inputSchema = {
  type: "object",
  required: ["question"],
  properties: { question: { type: "string", description: "What to ask the model" } },
};

export async function execute(ctx: WorkflowContext<{ question: string }>) {
  ctx.emit("progress", { step: "asking the model" });
  const reply = await ctx.chat.completions.create({
    messages: [{ role: "user", content: ctx.input.question }],
  });
  return { answer: reply.choices[0]?.message.content ?? "" };
}
`;
