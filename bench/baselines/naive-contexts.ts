import { serveContexts } from "./context-server.ts";
import { MEMORY_MIB } from "./guest.ts";

// For many connections: the contexts of all requests under way share one heap, and with 128 of them the usual limit ends
// the only isolate that there is.
await serveContexts(8 * MEMORY_MIB);
