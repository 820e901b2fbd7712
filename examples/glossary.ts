// Reads an accessory: a file uploaded with the workflow and versioned with it.
//   weft deploy glossary.ts --accessory terms=glossary/terms.json
//   weft run glossary --input '{"text":"Each run of a bundle gets its own isolate."}'
import type { WorkflowContext } from "weft";

export const inputSchema = { type: "object", required: ["text"], properties: { text: { type: "string" } } };

export async function execute(ctx: WorkflowContext<{ text?: string } | null>) {
  const terms = await ctx.load_accessory<Record<string, string>>("terms");
  const words = new Set((ctx.input?.text ?? "").toLowerCase().match(/[a-z]+/g) ?? []);
  const found = Object.entries(terms).filter(([term]) => words.has(term));
  return { explained: Object.fromEntries(found), known: Object.keys(terms).length };
}
