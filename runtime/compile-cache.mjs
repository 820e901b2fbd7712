// Plain JavaScript, imported before any TypeScript: a thread that finds the code without its types here does not load the
// compiler that strips them (20 to 30 MiB, in each thread), and V8 takes what it compiled before.
import { enableCompileCache } from "node:module";
import { join } from "node:path";

// Beside the packages: whoever may write here may change the code itself. Where nobody may write, there is no cache.
enableCompileCache(join(import.meta.dirname, "../node_modules/.cache/weft"));
