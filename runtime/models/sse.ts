/** Turns the bytes of an event stream into the `data` texts of its events. */
export interface SseParser {
  /** The events completed by these bytes. */
  push(bytes: Uint8Array): readonly string[];
  /** Length of the event not yet complete, in UTF-16 units. */
  pending(): number;
}

/** A parser of one stream; comments, event names and ids are dropped. */
export function createSseParser(): SseParser {
  const decoder = new TextDecoder();
  let rest = "";
  let data: string[] = [];
  let size = 0;
  const line = (text: string, events: string[]) => {
    if (text === "") {
      if (data.length > 0) events.push(data.join("\n"));
      data = [];
      size = 0;
    } else if (text.startsWith("data:")) {
      const value = text.slice(text.charAt(5) === " " ? 6 : 5);
      data.push(value);
      size += value.length;
    }
  };
  return {
    push(bytes) {
      const fresh = decoder.decode(bytes, { stream: true });
      // A long event comes in many reads: looking through all of it at each would cost the square of its length.
      if (!/[\r\n]/.test(fresh) && !rest.endsWith("\r")) {
        rest += fresh;
        return [];
      }
      const text = rest + fresh;
      // A carriage return at the end may be the first half of a line end.
      const lines = text.split(/\r\n|\n|\r(?!$)/);
      rest = lines.pop() ?? "";
      const events: string[] = [];
      for (const each of lines) line(each, events);
      return events;
    },
    pending: () => rest.length + size,
  };
}
