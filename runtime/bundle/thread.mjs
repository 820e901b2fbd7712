// The bundler's worker thread, see bundle-worker.ts.
import "../compile-cache.mjs";

await import("./bundle-worker.ts");
