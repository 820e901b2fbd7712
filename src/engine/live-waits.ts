import { fail } from "../../runtime/index.ts";
import type { WaitKey } from "../store/store.ts";

/** Longest wait that a timer can measure, ms. */
const MAX_TIMER_MS = 2_147_483_647;

/** A wait of a running attempt. */
interface LiveWait {
  readonly key: WaitKey;
  readonly answer: PromiseWithResolvers<string>;
  timer: NodeJS.Timeout | undefined;
}

const isSame = (a: WaitKey, b: WaitKey): boolean =>
  a.kind === "event" ? b.kind === "event" && a.pos === b.pos : b.kind === "approval" && a.id === b.id;

const over = () => fail("CONFLICT", { message: "This attempt is over." });

/** What the attempts of one run in this process wait for, by the position of the op. */
export class LiveWaits {
  readonly #waits = new Map<number, LiveWait>();

  /** Begins a wait; one that an earlier attempt had at the position is given up. */
  open(pos: number, key: WaitKey): void {
    this.drop(pos);
    const answer = Promise.withResolvers<string>();
    answer.promise.catch(() => undefined);
    this.#waits.set(pos, { key, answer, timer: undefined });
  }

  /** Calls `look` once a time (ms since the epoch) has come, unless the wait is over by then. */
  lookAt(pos: number, time: number, look: () => void): void {
    const wait = this.#waits.get(pos);
    if (wait === undefined) return;
    const left = Math.max(0, time - Date.now());
    const again = () => (left > MAX_TIMER_MS ? this.lookAt(pos, time, look) : look());
    clearTimeout(wait.timer);
    wait.timer = setTimeout(again, Math.min(left, MAX_TIMER_MS)).unref();
  }

  /** The answer of the wait at `pos`; CONFLICT when there is none or the attempt ends. */
  answerOf(pos: number): Promise<string> {
    return this.#waits.get(pos)?.answer.promise ?? Promise.reject(over());
  }

  /** Hands an answer (JSON text) on to whoever waits for it. */
  answer(key: WaitKey, json: string): void {
    for (const [pos, wait] of this.#waits) if (isSame(wait.key, key)) this.answerAt(pos, json);
  }

  /** Hands an answer to the wait at `pos`. */
  answerAt(pos: number, json: string): void {
    const wait = this.#waits.get(pos);
    clearTimeout(wait?.timer);
    wait?.answer.resolve(json);
  }

  /** Gives the wait at `pos` up. */
  drop(pos: number): void {
    const wait = this.#waits.get(pos);
    if (wait === undefined) return;
    this.#waits.delete(pos);
    clearTimeout(wait.timer);
    wait.answer.reject(over());
  }

  /** Gives all up. */
  clear(): void {
    for (const pos of [...this.#waits.keys()]) this.drop(pos);
  }

  /** Takes out the waits at the positions whose outcome is being recorded. */
  take(positions: Iterable<number>): readonly WaitKey[] {
    const taken: WaitKey[] = [];
    for (const pos of positions) {
      const wait = this.#waits.get(pos);
      if (wait === undefined) continue;
      taken.push(wait.key);
      this.drop(pos);
    }
    return taken;
  }
}
