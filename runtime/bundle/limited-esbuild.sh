#!/bin/sh
# esbuild for untrusted sources: a source nested half a million levels deep makes it fill 1 GB of stack and print a
# long trace. The cap (KiB of address space) ends it earlier; the trace helps nobody. Where Linux is out of memory, it
# goes before the server.
{ echo 1000 >/proc/self/oom_score_adj; } 2>/dev/null
ulimit -v "$WEFT_ESBUILD_KIB" 2>/dev/null
exec "$WEFT_ESBUILD" "$@" 2>/dev/null
