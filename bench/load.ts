import autocannon from "autocannon";
import { cpuMs } from "./processes.ts";
import { quantile, type Round } from "./statistics.ts";

/** One POST, again and again. */
export interface Load {
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
  readonly connections: number;
}

interface Answers {
  readonly latencies: number[];
  /** Answers without a 2xx status, and connections that failed. */
  failures: number;
  lastAt: number;
}

async function send(load: Load, extent: { readonly duration: number } | { readonly amount: number }): Promise<Answers> {
  const answers: Answers = { latencies: [], failures: 0, lastAt: 0 };
  const { url, headers, body, connections } = load;
  const options = { url, headers, body, connections, method: "POST", timeout: 60, sampleInt: 50 } as const;
  await new Promise<void>((resolve, reject) => {
    const done = (error: unknown) => (error ? reject(error) : resolve());
    const instance = autocannon({ ...options, ...extent, excludeErrorStats: true, skipAggregateResult: true }, done);
    instance.on("response", (_client, status, _bytes, ms) => {
      answers.lastAt = performance.now();
      if (status >= 200 && status < 300) answers.latencies.push(ms);
      else answers.failures += 1;
    });
    instance.on("reqError", () => {
      answers.failures += 1;
    });
  });
  if (answers.failures > 0) throw new Error(`${url}: ${answers.failures} requests failed`);
  return answers;
}

/** Keeps `connections` requests to process `pid` under way for `durationMs`; throws when any of them fails. */
export async function measureLoad(load: Load, pid: number, durationMs: number): Promise<Round> {
  const startedAt = performance.now();
  const cpuBefore = cpuMs(pid);
  const { latencies, lastAt } = await send(load, { duration: durationMs / 1_000 });
  if (latencies.length === 0) throw new Error(`${load.url}: no request was answered within ${durationMs} ms`);
  const cpu = cpuMs(pid) - cpuBefore;
  return {
    p50Ms: quantile(latencies, 0.5),
    p99Ms: quantile(latencies, 0.99),
    perSecond: (latencies.length * 1_000) / (lastAt - startedAt),
    cpuMicros: (cpu * 1_000) / latencies.length,
  };
}

/** Sends one request on each connection at the same time; milliseconds until the last is answered. */
export async function measureBurst(load: Load): Promise<number> {
  const startedAt = performance.now();
  const { lastAt } = await send(load, { amount: load.connections });
  return lastAt - startedAt;
}
