import { Agent, request } from "node:http";
import { callUrl, toCallBody, type Weft } from "./weft.ts";

/** When frames of a streamed call arrived, ms after the request was sent. */
export interface StreamTimes {
  readonly firstChunkMs: number;
  readonly lastChunkMs: number;
  readonly endMs: number;
  readonly chunks: number;
}

const agent = new Agent({ keepAlive: true });
/** What each frame of a chunk has and the comments, the final frame and [DONE] do not. */
const CHUNK = Buffer.from('"type":"progress"');

function count(data: Buffer): number {
  let found = 0;
  for (let at = data.indexOf(CHUNK); at !== -1; at = data.indexOf(CHUNK, at + CHUNK.length)) found += 1;
  return found;
}

/** Calls a workflow with `stream: true` and reads all of it; throws unless it ends with [DONE]. */
export function measureStream(weft: Weft, ref: string, input: unknown): Promise<StreamTimes> {
  const times = { firstChunkMs: 0, lastChunkMs: 0, endMs: 0, chunks: 0 };
  return new Promise((resolve, reject) => {
    const body = toCallBody(ref, input, { stream: true, no_cache: true });
    const call = request(callUrl(weft), { method: "POST", headers: weft.headers, agent }, (response) => {
      let rest: Buffer = Buffer.alloc(0);
      response.on("data", (data: Buffer) => {
        const found = count(Buffer.concat([rest, data]));
        rest = data.subarray(-(CHUNK.length - 1));
        if (found === 0) return;
        times.chunks += found;
        times.lastChunkMs = performance.now() - sentAt;
        if (times.firstChunkMs === 0) times.firstChunkMs = times.lastChunkMs;
      });
      response.on("error", reject);
      response.on("end", () => {
        times.endMs = performance.now() - sentAt;
        const ended = rest.includes("[DONE]");
        if (response.statusCode === 200 && ended) resolve(times);
        else reject(new Error(`stream of ${ref}: status ${response.statusCode}, ended ${rest.toString()}`));
      });
    });
    const sentAt = performance.now();
    call.on("error", reject).end(body);
  });
}
