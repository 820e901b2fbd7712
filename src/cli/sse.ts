async function* readLines(body: ReadableStream<Uint8Array>): AsyncGenerator<string> {
  const decoder = new TextDecoder();
  let rest = "";
  for await (const bytes of body) {
    const lines = (rest + decoder.decode(bytes, { stream: true })).split("\n");
    rest = lines.pop() ?? "";
    for (const line of lines) yield line.endsWith("\r") ? line.slice(0, -1) : line;
  }
}

/** One event of a stream. */
export interface StreamEvent {
  /** `message` when it has no name of its own. */
  readonly event: string;
  readonly data: string;
}

/** The value of a field's line, or null when it is another field's. */
function fieldOf(line: string, name: string): string | null {
  if (!line.startsWith(`${name}:`)) return null;
  const value = line.slice(name.length + 1);
  return value.startsWith(" ") ? value.slice(1) : value;
}

/** Yields every event of a text/event-stream body that has data, in order; comments and other fields are skipped. */
export async function* readNamedEvents(body: ReadableStream<Uint8Array>): AsyncGenerator<StreamEvent> {
  let data: string[] = [];
  let event = "message";
  for await (const line of readLines(body)) {
    const text = fieldOf(line, "data");
    if (text !== null) data.push(text);
    event = fieldOf(line, "event") ?? event;
    if (line !== "") continue;
    if (data.length > 0) yield { event, data: data.join("\n") };
    data = [];
    event = "message";
  }
}

/** Yields the `data` of every event of a text/event-stream body, in order. */
export async function* readEvents(body: ReadableStream<Uint8Array>): AsyncGenerator<string> {
  for await (const { data } of readNamedEvents(body)) yield data;
}
