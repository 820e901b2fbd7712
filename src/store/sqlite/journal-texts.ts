import { fail } from "../../../runtime/index.ts";
import type { Database } from "./database.ts";
import { commonHead, fromDelta, toDelta } from "./delta.ts";
import type { EarlierArgs, EarlierText, EarlierTexts, Likeness } from "./earlier-texts.ts";

/** A text as a row has it: whole, or what is left of it beside an earlier one. */
export interface StoredText {
  readonly text: string;
  /** `seq,head,from,run,tail` of a delta of the same column of delivery `seq`; null: the text is whole. */
  readonly delta: string | null;
}

/** Shorter arguments are stored whole. */
const MIN_ARGS = 256;
/** Arguments of this length are worth a look into the store when nothing is remembered. */
const LONG_ARGS = 4_096;
/** Longer parts are no model for later ones. */
const MAX_PART = 16_384;
/** Deliveries looked back for them. */
const LOOK_BACK = 2_000;
/** Arguments that rest on so many earlier ones are stored whole: putting texts of 1 MiB together takes a tenth of a second then, not minutes. */
const MAX_DEPTH = 128;
/** Units (UTF-16) of whole arguments that a reader remembers. */
const MAX_KNOWN_UNITS = 16 * 1024 * 1024;

const LAST_ARGS = `SELECT seq FROM journal WHERE execution = ? AND seq < ? AND seq >= ? AND args IS NOT NULL
  ORDER BY seq DESC LIMIT 1`;
const STORED_DELTA = "SELECT '' AS text, args_delta AS delta FROM journal WHERE execution = ? AND seq = ?";
const STORED_ARGS = "SELECT args AS text, args_delta AS delta FROM journal WHERE execution = ? AND seq = ?";

function store(text: string, base: (EarlierText & Pick<Likeness, "head">) | null): StoredText {
  const delta = base === null ? null : toDelta(base.text, text, base.head);
  if (base === null || delta === null) return { text, delta: null };
  const { head, from, run, tail } = delta;
  return { text: delta.text, delta: `${base.seq},${head},${from},${run},${tail}` };
}

/** Number of the delivery that a stored text needs; null when it is whole. */
export const baseOf = ({ delta }: StoredText): number | null => (delta === null ? null : Number.parseInt(delta, 10));

/** The whole text, given that of {@link baseOf}. */
export function restore({ text, delta }: StoredText, base: string): string {
  if (delta === null) return text;
  const [, head = 0, from = 0, run = 0, tail = 0] = delta.split(",").map(Number);
  return fromDelta(base, { head, from, run, tail, text });
}

/** Whole arguments of the deliveries of one execution. What was read lately is remembered: later ones rest on it. */
export class ArgsReader {
  readonly #db: Database;
  readonly #execution: number;
  readonly #known = new Map<number, string>();
  #units = 0;

  constructor(db: Database, execution: number) {
    this.#db = db;
    this.#execution = execution;
  }

  /** Those of delivery `seq`. */
  read(seq: number): string {
    return this.whole(seq, this.#find(seq));
  }

  /** Those of delivery `seq`, whose row has `stored`. */
  whole(seq: number, stored: StoredText): string {
    const rest: [number, StoredText][] = [[seq, stored]];
    let text: string | undefined;
    for (let at = baseOf(stored); at !== null; ) {
      text = this.#known.get(at);
      if (text !== undefined) break;
      const earlier = this.#find(at);
      rest.push([at, earlier]);
      at = baseOf(earlier);
    }
    return rest.reduceRight((base, [at, each]) => this.#keep(at, restore(each, base)), text ?? "");
  }

  #find(seq: number): StoredText {
    const stored = this.#db.get<StoredText>(STORED_ARGS, this.#execution, seq);
    if (stored === undefined) throw fail("INTERNAL", {}, new Error(`journal: delivery ${seq} is missing`));
    return stored;
  }

  #keep(seq: number, text: string): string {
    this.#known.set(seq, text);
    this.#units += text.length;
    for (const [old, { length }] of this.#known) {
      if (this.#units <= MAX_KNOWN_UNITS || old === seq) break;
      this.#known.delete(old);
      this.#units -= length;
    }
    return text;
  }
}

/** How many earlier arguments those of delivery `seq` rest on. */
function depthOf(db: Database, execution: number, seq: number): number {
  let depth = -1;
  for (let at: number | null = seq; at !== null; depth++) {
    const stored: StoredText | undefined = db.get<StoredText>(STORED_DELTA, execution, at);
    at = stored === undefined ? null : baseOf(stored);
  }
  return depth;
}

function recall(db: Database, execution: number, before: number): EarlierArgs | null {
  const found = db.get<{ seq: number }>(LAST_ARGS, execution, before, before - LOOK_BACK);
  if (found === undefined) return null;
  const { seq } = found;
  return { seq, text: new ArgsReader(db, execution).read(seq), depth: depthOf(db, execution, seq) };
}

/** Where a text stands in the journals. */
interface Place {
  readonly execution: number;
  readonly seq: number;
  readonly pos: number;
}

/** Arguments as they are stored: mostly a longer form of earlier ones, as those of a conversation are. */
export function storeArgs(db: Database, earlier: EarlierTexts, place: Place, text: string): StoredText {
  if (text.length < MIN_ARGS) return { text, delta: null };
  const { execution, seq } = place;
  let best = earlier.likeArgs(execution, text);
  if (best === null && seq > 0 && text.length >= LONG_ARGS) {
    const last = recall(db, execution, seq);
    if (last !== null) earlier.addArgs(execution, last, null);
    best = earlier.likeArgs(execution, text);
  }
  const base = best !== null && best.depth < MAX_DEPTH ? best : null;
  const stored = store(text, base);
  const continued = stored.delta === null ? null : base;
  earlier.addArgs(execution, { seq, text, depth: continued === null ? 0 : continued.depth + 1 }, continued);
  return stored;
}

/** A part as it is stored: the frames of one stream differ in a word. All of them rest on one whole part. */
export function storePart(earlier: EarlierTexts, { execution, seq, pos }: Place, text: string): StoredText {
  const first = earlier.part(execution, pos);
  const stored = store(text, first === null ? null : { ...first, head: commonHead(first.text, text) });
  if (stored.delta === null && text.length <= MAX_PART) earlier.addPart(execution, pos, { seq, text });
  return stored;
}
