import { createInterface } from "node:readline";
import { Readable } from "node:stream";
import type { ReadableStream } from "node:stream/web";
import type { Api } from "./api.ts";

/** The lines of an answer as they come; a connection that is lost is an error of the command. */
export async function* readLines(response: Response, api: Api): AsyncIterable<string> {
  if (response.body === null) return;
  const input = Readable.fromWeb(response.body as ReadableStream);
  const lost = new Promise<never>((_resolve, reject) => input.once("error", (cause) => reject(api.lost(cause))));
  lost.catch(() => undefined);
  const lines = createInterface({ input, crlfDelay: Number.POSITIVE_INFINITY })[Symbol.asyncIterator]();
  for (;;) {
    const next = await Promise.race([lines.next(), lost]);
    if (next.done === true) return;
    if (next.value !== "") yield next.value;
  }
}
