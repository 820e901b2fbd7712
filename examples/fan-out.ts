// Fetches many addresses at once; one that fails does not fail the others.
//   weft run fan-out --input '{"urls":["https://example.com","https://example.org"]}'
import { HttpError, type WorkflowContext, WorkflowError } from "weft";

// A run that touched the outside world is kept only because this line says so.
export const config = { cache: { ttl: "1m" } };
export const inputSchema = {
  type: "object",
  required: ["urls"],
  properties: { urls: { type: "array", maxItems: 50, items: { type: "string" } } },
};

async function probe(ctx: WorkflowContext, url: string) {
  try {
    const response = await ctx.http.get(url, { timeout_ms: 10_000, retries: 1 });
    ctx.emit("fetched", { url, status: response.status });
    return {
      url,
      status: response.status,
      type: response.headers["content-type"] ?? null,
      characters: response.text().length,
    };
  } catch (error) {
    if (!(error instanceof HttpError)) throw error;
    return { url, error: error.message };
  }
}

export async function execute(ctx: WorkflowContext<{ urls?: string[] } | null>) {
  const urls = ctx.input?.urls ?? [];
  if (urls.length === 0) throw new WorkflowError("urls must name at least one address", { status: 400 });
  const pages = await Promise.all(urls.map((url) => probe(ctx, url)));
  return { pages, failed: pages.filter((page) => "error" in page).length };
}
