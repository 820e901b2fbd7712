import { serve } from "./fastify-server.ts";

// Echo with fastify in one thread.

await serve((input) => ({ echo: input }));
