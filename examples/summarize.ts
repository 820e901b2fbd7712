// Streams a model's answer while it is written, with progress chunks around it.
//   weft run summarize --stream --input '{"text":"A long text …"}'
import { type WorkflowContext, WorkflowError } from "weft";

export const config = { timeout: "2m" };
export const inputSchema = { type: "object", required: ["text"], properties: { text: { type: "string" } } };

export async function execute(ctx: WorkflowContext<{ text?: string } | null>) {
  const text = ctx.input?.text?.trim();
  if (!text) throw new WorkflowError("text is required", { status: 400, code: "text_required" });

  ctx.emit("progress", { step: "summarizing", characters: text.length });
  const stream = await ctx.chat.completions.create({
    stream: true,
    messages: [
      { role: "system", content: "Summarize the user's text in two sentences." },
      { role: "user", content: text },
    ],
  });

  let summary = "";
  for await (const chunk of stream) {
    const piece = chunk.choices[0]?.delta.content ?? "";
    summary += piece;
    ctx.write(piece);
  }
  ctx.emit("progress", { step: "done", characters: summary.length });
  return summary;
}
