// The process of one import, see ingest-process.ts; plain JavaScript, so that no compiler is loaded where the code is cached.
import "../../compile-cache.mjs";

const { serveImport } = await import("./ingest-process.ts");
serveImport();
