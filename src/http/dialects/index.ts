import { approvalPage } from "./approval-page/approval-page.ts";
import type { Dialect } from "./dialect.ts";
import { hatz } from "./hatz/hatz.ts";
import { maitai } from "./maitai/maitai.ts";
import { motte } from "./motte/motte.ts";
import { powabase } from "./powabase/powabase.ts";
import { solcognia } from "./solcognia/solcognia.ts";

/**
 * Every API shape; the first answers for paths that belong to none. Where two share a prefix, the form of an id decides:
 * a dialect with ids such as `wf_…` registers its routes with a pattern (`/api/v1/workflows/:id(^wf_[0-9a-f]{32}$)`),
 * which the router tries before a parameter without one.
 */
export const DIALECTS: readonly [Dialect, ...Dialect[]] = [maitai, solcognia, hatz, motte, powabase, approvalPage];

/** The dialect that answers for a path. */
export function dialectOf(path: string): Dialect {
  let best = DIALECTS[0];
  let length = 0;
  for (const dialect of DIALECTS) {
    for (const prefix of dialect.prefixes) {
      if (prefix.length <= length || !path.startsWith(prefix)) continue;
      best = dialect;
      length = prefix.length;
    }
  }
  return best;
}
