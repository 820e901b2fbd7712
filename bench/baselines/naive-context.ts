import { serveContexts } from "./context-server.ts";
import { MEMORY_MIB } from "./guest.ts";

await serveContexts(MEMORY_MIB);
