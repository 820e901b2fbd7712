// Calls other workflows: each is an execution of its own, with its own limits, cache and history.
//   weft run nested --input '{"names":["Ada","Grace"]}'
import type { WorkflowContext } from "weft";

export const inputSchema = { type: "object", properties: { names: { type: "array", items: { type: "string" } } } };

export async function execute(ctx: WorkflowContext<{ names?: string[] } | null>) {
  const names = ctx.input?.names ?? ["Ada", "Grace"];
  const greetings = await Promise.all(
    names.map(async (name) => {
      const call = await ctx.workflow.completions.create<{ greeting: string }>({
        model: "workflow:hello",
        input: { name },
      });
      return call.output.greeting;
    }),
  );
  const summary = await ctx.workflow.completions.create<string>({
    model: "workflow:summarize",
    input: { text: greetings.join(" ") },
  });
  return { greetings, summary: summary.output };
}
