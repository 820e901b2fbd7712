// Answers questions from a datastore of Markdown, naming the passages that the answer rests on.
//   weft run handbook --input '{"question":"How long may club members return goods?"}'
// The built-in model "echo" repeats the question; the citations are the ones that a real model would be given.
import type { WorkflowContext } from "weft";

export const config = { datastores: ["handbook"] };
export const inputSchema = { type: "object", required: ["question"], properties: { question: { type: "string" } } };

const SYSTEM = `Answer the question from the numbered sources only, in at most three sentences.
After each statement name its source in brackets, like [2]. If the sources do not say it, say so.`;
const SOURCES = 4;

/** One chunk of a Markdown file, as it is stored. */
interface Chunk {
  text: string;
  heading: string | null;
}

export async function execute(ctx: WorkflowContext<{ question: string }>) {
  const question = ctx.input?.question ?? "";
  const hits = await ctx.datastore.search<Chunk>("handbook", { query: question, top_k: SOURCES });
  if (hits.length === 0) return { answer: "The handbook says nothing about this.", citations: [] };

  const sources = hits.map(({ id, data }, i) => ({ source: i + 1, id, heading: data.heading, text: data.text }));
  const listed = sources.map(({ source, heading, text }) => `[${source}] ${heading ?? ""}\n${text}`).join("\n\n");
  const reply = await ctx.chat.completions.create({
    temperature: 0,
    messages: [
      { role: "system", content: `${SYSTEM}\n\n${listed}` },
      { role: "user", content: question },
    ],
  });
  const answer = reply.choices[0].message.content ?? "";
  // A model that names no source is shown with all that it was given.
  const named = new Set([...answer.matchAll(/\[(\d+)\]/g)].map((match) => Number(match[1])));
  const cited = sources.filter(({ source }) => named.has(source));
  return { answer, citations: cited.length > 0 ? cited : sources };
}
