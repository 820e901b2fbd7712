// The pool's worker thread, see worker.ts: it gets its runs over the link, not as tasks of piscina.
import "../compile-cache.mjs";

await import("./worker.ts");
