import type { JournalRecord } from "../execution.ts";
import { isBare, type Remaking, remake } from "./remade.ts";

/** What a replay needs of its run. */
interface FeedPort {
  /** Hands a record to the guest. */
  readonly hand: (record: JournalRecord) => void;
  /** Turns of the guest that have not returned. */
  readonly openTurns: () => number;
  /** There may be more to feed. */
  readonly more: () => void;
  /** A result could not be made. */
  readonly failed: (error: unknown) => void;
}

/** Recorded deliveries sent ahead of the guest's turns. */
const WINDOW = 256;

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
      const record = records[this.#next] as JournalRecord;
      const isMade = isBare(record);
      if (isMade && openTurns() > 0) return false;
      this.#next++;
      if (isMade) this.#take(record);
      else hand(record);
    }
    return !this.#isMaking && this.#next === records.length && openTurns() === 0;
  }

  async #take(record: JournalRecord): Promise<void> {
    const { hand, more, failed } = this.#port;
    this.#isMaking = true;
    try {
      hand(await remake(record, this.#source));
      this.#isMaking = false;
      more();
    } catch (error) {
      failed(error);
    }
  }
}
