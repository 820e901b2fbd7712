// A query process, see query-process.ts; plain JavaScript, so that no compiler is loaded where the code is cached.
import "../compile-cache.mjs";

await import("./query-process.ts");
