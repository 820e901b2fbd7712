import ivm from "isolated-vm";
import { serve } from "./fastify-server.ts";
import { GUEST, MEMORY_MIB, TIMEOUT_MS } from "./guest.ts";

// The same with a fresh isolate for every request, and V8's code cache for the script.

const first = new ivm.Isolate();
// The declarations leave this property out.
const compiled: ivm.Script & ivm.CachedDataResult = await first.compileScript(GUEST, { produceCachedData: true });
const cache = compiled.cachedData === undefined ? {} : { cachedData: compiled.cachedData };
first.dispose();

await serve(async (input) => {
  const isolate = new ivm.Isolate({ memoryLimit: MEMORY_MIB });
  try {
    const context = await isolate.createContext();
    const script = await isolate.compileScript(GUEST, cache);
    const execute = await script.run(context, { reference: true, timeout: TIMEOUT_MS });
    const options = { timeout: TIMEOUT_MS, result: { promise: true, copy: true } } as const;
    return JSON.parse(String(await execute.apply(undefined, [JSON.stringify(input)], options)));
  } finally {
    isolate.dispose();
  }
});
