import type { Reply, Request } from "./dialects/dialect.ts";
import { openSse, type SseStream } from "./sse.ts";

/** Answers with an event stream: takes the reply from the framework, with the headers that hooks have set already. */
export function hijackSse(reply: Reply, headers: Readonly<Record<string, string>>): SseStream {
  const set = Object.fromEntries(Object.entries(reply.getHeaders()).map(([name, value]) => [name, String(value)]));
  reply.hijack();
  return openSse(reply.raw, { ...set, ...headers });
}

/** The id of the last event that a reader has, as it says itself; null when it begins. The header comes from clients that reconnect. */
export function lastEventId({ headers, query }: Pick<Request, "headers" | "query">): string | null {
  const { last_event_id: asked } = query as { readonly last_event_id?: string };
  const header = headers["last-event-id"];
  const id = header === undefined ? asked : String(header);
  return id === undefined || id === "" ? null : id;
}
