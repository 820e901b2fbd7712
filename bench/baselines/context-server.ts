import ivm from "isolated-vm";
import { serve } from "./fastify-server.ts";
import { GUEST, TIMEOUT_MS } from "./guest.ts";

/** What one writes first: one isolate, the script compiled once, a fresh context for every request. */
export async function serveContexts(memoryMib: number): Promise<void> {
  const isolate = new ivm.Isolate({ memoryLimit: memoryMib });
  const script = await isolate.compileScript(GUEST);
  await serve(async (input) => {
    const context = await isolate.createContext();
    try {
      const execute = await script.run(context, { reference: true, timeout: TIMEOUT_MS });
      const options = { timeout: TIMEOUT_MS, result: { promise: true, copy: true } } as const;
      return JSON.parse(String(await execute.apply(undefined, [JSON.stringify(input)], options)));
    } finally {
      context.release();
    }
  });
}
