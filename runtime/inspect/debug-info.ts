import { FOREIGN } from "../bundle/wrap.ts";
import type { Bundle } from "../bundle-types.ts";

/**
 * The code of a bundle as a debugger wants it: it pauses before the author's first line, and a source map inside leads
 * to the author's files, each at the address that `addressOf` gives its path.
 */
export function withDebugInfo({ code, sourceMap }: Bundle, addressOf: (path: string) => string): string {
  const map = JSON.parse(sourceMap) as { readonly sources: readonly string[] };
  const sources = map.sources.map((path) => (path === FOREIGN ? path : addressOf(path)));
  const text = JSON.stringify({ ...map, sources });
  const url = `data:application/json;base64,${Buffer.from(text).toString("base64")}`;
  // On the first line of the code, which no mapping leads to: all others keep their places.
  return `(function(weft){debugger;return (${code})(weft);})\n//# sourceMappingURL=${url}`;
}
