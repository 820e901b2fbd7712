/**
 * A text as what it adds to an earlier one: the first `head` units of that one, `run` units of it from `from` on, `text`,
 * and its last `tail` units. Units are UTF-16; no surrogate pair is cut, so that every part can be stored as UTF-8.
 */
export interface Delta {
  readonly head: number;
  readonly from: number;
  readonly run: number;
  readonly tail: number;
  readonly text: string;
}

/** Fewer units saved are not worth another read. */
const MIN_SAVED = 64;
/** What is left to store is looked for further on in the earlier text if it is longer than this. */
const LONG = 512;
const PROBE = 64;
const MAX_STEP = 65_536;

const isHigh = (text: string, at: number) => (text.charCodeAt(at) & 0xfc00) === 0xd800;
const isLow = (text: string, at: number) => (text.charCodeAt(at) & 0xfc00) === 0xdc00;

/** Units that `a` from `i` on and `b` from `j` on begin with alike. Slices are compared as a whole: as fast as memory is read. */
function alike(a: string, i: number, b: string, j: number): number {
  const most = Math.min(a.length - i, b.length - j);
  let at = 0;
  for (let step = PROBE; at < most; ) {
    const end = Math.min(most, at + step);
    if (a.slice(i + at, i + end) === b.slice(j + at, j + end)) {
      at = end;
      step = Math.min(2 * step, MAX_STEP);
    } else if (step > 8) step >>= 2;
    else {
      while (a.charCodeAt(i + at) === b.charCodeAt(j + at)) at++;
      break;
    }
  }
  return at > 0 && isHigh(a, i + at - 1) ? at - 1 : at;
}

/** Units that both end with, `most` at the most. */
function alikeAtEnd(a: string, b: string, most: number): number {
  let count = 0;
  while (count < most && a.charCodeAt(a.length - 1 - count) === b.charCodeAt(b.length - 1 - count)) count++;
  return count > 0 && isLow(b, b.length - count) ? count - 1 : count;
}

/** How many units two texts begin with alike. */
export function commonHead(base: string, text: string): number {
  return alike(base, 0, text, 0);
}

/** `text` as what it adds to `base`, with which it shares its first `head` units; null when that saves next to nothing. */
export function toDelta(base: string, text: string, head: number): Delta | null {
  let [from, run] = [0, 0];
  const tail = alikeAtEnd(base, text, Math.min(base.length, text.length) - head);
  if (text.length - head - tail > LONG) {
    // A window of messages that moves on: what follows the ones it has left behind is there, further on.
    const found = base.indexOf(text.slice(head, head + PROBE), head);
    if (found >= 0) [from, run] = [found, Math.min(alike(base, found, text, head), text.length - head - tail)];
    if (run > 0 && isHigh(text, head + run - 1)) run--;
  }
  if (head + run + tail < MIN_SAVED) return null;
  return { head, from, run, tail, text: text.slice(head + run, text.length - tail) };
}

/** The text that a delta of `base` stands for. */
export function fromDelta(base: string, { head, from, run, tail, text }: Delta): string {
  return base.slice(0, head) + base.slice(from, from + run) + text + base.slice(base.length - tail);
}
