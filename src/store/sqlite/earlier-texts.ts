import { commonHead } from "./delta.ts";

/** A text that the journal of an execution holds. */
export interface EarlierText {
  readonly seq: number;
  readonly text: string;
}

/** Arguments, and how many earlier ones must be read to put them together. */
export interface EarlierArgs extends EarlierText {
  readonly depth: number;
}

/** Earlier arguments and how many units the new ones begin with alike. */
export interface Likeness extends EarlierArgs {
  readonly head: number;
}

/** What is remembered of one journal. */
interface Known {
  /** Number of the last delivery seen: a lower one after it means that the journal was cut or a write was undone. */
  last: number;
  /** Arguments, oldest first: several conversations may take turns. */
  args: EarlierArgs[];
  /** Of each stream under way, the part that later ones are compared with, by op position. */
  readonly parts: Map<number, EarlierText>;
}

const MAX_ARGS = 8;
/** Units (UTF-16) per generation. */
const MAX_UNITS = 16 * 1024 * 1024;
const FORGET_MS = 30_000;

const unitsOf = ({ args, parts }: Known) =>
  [...args, ...parts.values()].reduce((sum, { text }) => sum + text.length, 0);

/**
 * What executions recorded lately, for later records to be stored as what they add to it. In two generations: what is
 * not used during one of them is forgotten, and then read again or simply stored whole.
 */
export class EarlierTexts {
  #young = new Map<number, Known>();
  #old = new Map<number, Known>();
  #units = 0;
  #timer: NodeJS.Timeout | null = null;

  /** Called for every delivery before it is stored. */
  meet(execution: number, seq: number): void {
    const known = this.#find(execution);
    if (known === undefined) return;
    if (known.last < seq) known.last = seq;
    else {
      this.#young.delete(execution);
      this.#old.delete(execution);
    }
  }

  /** The arguments that begin most like `text`; null when none are remembered. */
  likeArgs(execution: number, text: string): Likeness | null {
    let best: Likeness | null = null;
    for (const earlier of this.#find(execution)?.args ?? []) {
      const head = commonHead(earlier.text, text);
      if (best === null || head >= best.head) best = { ...earlier, head };
    }
    return best;
  }

  /** Remembers arguments; those that they continue make way for them. */
  addArgs(execution: number, added: EarlierArgs, continued: EarlierText | null): void {
    const known = this.#known(execution, added);
    const kept = known.args.filter(({ seq }) => seq !== continued?.seq);
    known.args = [...kept.slice(1 - MAX_ARGS), added];
  }

  /** What later parts of the op at `pos` are compared with. */
  part(execution: number, pos: number): EarlierText | null {
    return this.#find(execution)?.parts.get(pos) ?? null;
  }

  addPart(execution: number, pos: number, added: EarlierText): void {
    this.#known(execution, added).parts.set(pos, added);
  }

  /** The op at `pos` has ended: it has no more parts. */
  endParts(execution: number, pos: number): void {
    this.#find(execution)?.parts.delete(pos);
  }

  clear(): void {
    this.#young.clear();
    this.#old.clear();
    this.#units = 0;
  }

  #find(execution: number): Known | undefined {
    const young = this.#young.get(execution);
    if (young !== undefined) return young;
    const old = this.#old.get(execution);
    if (old === undefined) return undefined;
    this.#old.delete(execution);
    this.#young.set(execution, old);
    this.#grow(unitsOf(old));
    return old;
  }

  #known(execution: number, { seq, text }: EarlierText): Known {
    const known = this.#find(execution) ?? { last: seq, args: [], parts: new Map() };
    known.last = Math.max(known.last, seq);
    this.#young.set(execution, known);
    this.#grow(text.length);
    this.#timer ??= setInterval(() => this.#turn(), FORGET_MS).unref();
    return known;
  }

  #grow(units: number): void {
    this.#units += units;
    if (this.#units > MAX_UNITS) this.#turn();
  }

  #turn(): void {
    this.#old = this.#young;
    this.#young = new Map();
    this.#units = 0;
    if (this.#old.size > 0 || this.#timer === null) return;
    clearInterval(this.#timer);
    this.#timer = null;
  }
}
