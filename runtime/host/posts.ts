import { FROM_HOST, type GuestLimits, isField, POST } from "../../sandbox/wire.ts";
import type { FrameWriter } from "./frames.ts";
import type { GuestPost } from "./isolate.ts";

/** A run that posts. */
export interface Poster {
  readonly id: number;
  readonly facts: { readonly limits: Pick<GuestLimits, "maxLogLines"> };
  /** Log lines so far, its own and those about it. */
  logs: number;
}

/** Turns what guests post into frames. */
export interface Posts {
  /** A post of a run; what cannot be one is dropped. */
  pass(run: Poster, post: GuestPost): void;
  /** A log line, `n`, level, message and fields separated by tabs; the last that `maxLogLines` leaves says that there were more. */
  log(run: Poster, line: string): void;
}

/** Frames with all that a post has. */
const WHOLE_FRAMES = new Map<number, string>([
  [POST.op, FROM_HOST.op],
  [POST.drop, FROM_HOST.drop],
  [POST.chunk, FROM_HOST.chunk],
]);
const ENDINGS = new Map<number, string>([
  [POST.done, FROM_HOST.done],
  [POST.failed, FROM_HOST.failed],
]);

/** True when its number is one and its texts can travel. */
function isPost([, n, ...texts]: GuestPost): boolean {
  return Number.isSafeInteger(n) && texts.every((field: unknown) => typeof field === "string" && isField(field));
}

/** Posts into `out`. */
export function createPosts(out: FrameWriter): Posts {
  const log: Posts["log"] = (run, line) => {
    const { maxLogLines } = run.facts.limits;
    if (run.logs >= maxLogLines) return;
    run.logs++;
    const notice = JSON.stringify(`log: more than ${maxLogLines} lines; the rest is dropped`);
    const shown = run.logs < maxLogLines ? line : `0\twarn\t${notice}\t`;
    out.write(`${FROM_HOST.log}\t${run.id}\t${shown}`);
  };

  return {
    log,
    pass(run, post) {
      if (!isPost(post)) return;
      const [kind, n, name, text, more] = post;
      const ending = ENDINGS.get(kind);
      const frame = WHOLE_FRAMES.get(kind);
      if (ending !== undefined) out.write(`${ending}\t${run.id}\t${n}\t${text}`);
      else if (frame !== undefined) out.write(`${frame}\t${run.id}\t${n}\t${name}\t${text}\t${more}`);
      else if (kind === POST.log) log(run, `${n}\t${name}\t${text}\t${more}`);
      else if (kind === POST.many) out.write(`${FROM_HOST.many}\t${run.id}\t${text}`);
    },
  };
}
