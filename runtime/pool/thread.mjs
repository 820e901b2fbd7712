// The pool's worker thread, see worker.ts.
import "../compile-cache.mjs";

const { work } = await import("./worker.ts");

export default work;
