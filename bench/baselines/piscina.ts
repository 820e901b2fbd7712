import { Piscina } from "piscina";
import { serve } from "./fastify-server.ts";

// Echo with fastify, the function in a pool of worker threads without a sandbox.

const filename = new URL("./piscina-worker.ts", import.meta.url).href;
const pool = new Piscina({ filename, name: "execute", concurrentTasksPerWorker: 16 });
await serve((input) => pool.run(input));
