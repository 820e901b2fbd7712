#!/usr/bin/env node
import "../../runtime/compile-cache.mjs";

await import("./main.ts");
