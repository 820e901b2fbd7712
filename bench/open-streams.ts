import { readFileSync } from "node:fs";
import { Agent, type ClientRequest, get } from "node:http";
import type { Weft } from "./weft.ts";

/** Files that a process keeps for other things. */
const OTHER_FILES = 1_000;
/** Requests under way at the same time. */
const OPENING = 100;

/** Streams that one process may have open here. */
export function mostStreams(): number {
  const found = /^Max open files\s+(\d+)/m.exec(readFileSync("/proc/self/limits", "latin1"))?.[1];
  return Number(found ?? 1_024) - OTHER_FILES;
}

/** Readers of a run that does not end. */
export interface OpenStreams {
  /** Opens more, until there are `count`; resolves when each has had its first bytes. */
  grow(count: number): Promise<void>;
  close(): void;
}

/** Reads the stream of a run (`exec_…`) again and again, each time on a connection of its own. */
export function openStreams({ url, headers }: Weft, runId: string): OpenStreams {
  const agent = new Agent({ keepAlive: false });
  const open: ClientRequest[] = [];
  const { authorization = "" } = headers;
  const openOne = () =>
    new Promise<void>((resolve, reject) => {
      const request = get(`${url}/api/v1/runs/${runId}/stream`, { agent, headers: { authorization } }, (response) => {
        if (response.statusCode !== 200) return reject(new Error(`stream: status ${response.statusCode}`));
        response.once("data", () => resolve()).on("error", () => undefined);
        return response.resume();
      });
      request.on("error", reject);
      open.push(request);
    });
  return {
    async grow(count) {
      while (open.length < count)
        await Promise.all(Array.from({ length: Math.min(OPENING, count - open.length) }, openOne));
    },
    close() {
      for (const request of open) request.destroy();
    },
  };
}
