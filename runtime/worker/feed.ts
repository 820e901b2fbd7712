import type { ReplayRecord } from "../journal-record.ts";
import { isBare, type Remaking, remake } from "./remade.ts";

/** What a replay needs of its run. */
interface FeedPort {
  /** Hands records to the guest: one open turn. */
  readonly hand: (records: readonly ReplayRecord[]) => void;
  /** Turns of the guest that have not returned. */
  readonly openTurns: () => number;
  /** There may be more to feed. */
  readonly more: () => void;
  /** A result could not be made. */
  readonly failed: (error: unknown) => void;
}

/** Groups of recorded deliveries sent ahead of the guest's turns. */
const WINDOW = 2;
/** Deliveries of a group, and characters of their results, at the most. */
const MAX_GROUP = 256;
const MAX_GROUP_CHARS = 1024 * 1024;

/** Characters of the results. */
export const charsOf = (records: readonly ReplayRecord[]): number =>
  records.reduce((sum, { payload }) => sum + payload.length, 0);

/** Feeds recorded deliveries to a guest. A large one that is made again is so only once the guest has taken all before it: no more than one is ever held. */
export class Feed {
  readonly #source: Remaking;
  readonly #port: FeedPort;
  #next = 0;
  #isMaking = false;

  constructor(source: Remaking, port: FeedPort) {
    this.#source = source;
    this.#port = port;
  }

  /** Sends as far as the window allows; true once the guest has taken all of them. */
  feed(): boolean {
    const { hand, openTurns } = this.#port;
    const { replay: records } = this.#source.job;
    while (!this.#isMaking && this.#next < records.length && openTurns() < WINDOW) {
      const group = this.#group();
      if (group.length > 0) hand(group);
      else if (openTurns() > 0) return false;
      else this.#take(records[this.#next++] as ReplayRecord);
    }
    return !this.#isMaking && this.#next === records.length && openTurns() === 0;
  }

  /** The next records up to one that must be made again. */
  #group(): readonly ReplayRecord[] {
    const { replay: records } = this.#source.job;
    const group: ReplayRecord[] = [];
    let chars = 0;
    while (group.length < MAX_GROUP && chars < MAX_GROUP_CHARS) {
      const record = records[this.#next];
      if (record === undefined || isBare(record)) break;
      chars += record.payload.length;
      // A large one travels alone, as it is.
      if (group.length > 0 && chars > MAX_GROUP_CHARS) break;
      group.push(record);
      this.#next++;
    }
    return group;
  }

  async #take(record: ReplayRecord): Promise<void> {
    const { hand, more, failed } = this.#port;
    this.#isMaking = true;
    try {
      hand([await remake(record, this.#source)]);
      this.#isMaking = false;
      more();
    } catch (error) {
      failed(error);
    }
  }
}
