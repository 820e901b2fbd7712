import { fail } from "../errors.ts";

/** Results of one execution that its worker may hold at once: under way, or not yet taken by the guest. */
const MAX_HELD_BYTES = 128 * 1024 * 1024;

/** Bounds what one execution makes its worker hold. */
export class HeldBytes {
  #total = 0;
  /** Sizes of the deliveries whose turn has not returned, oldest first. */
  readonly #open: number[] = [];

  /** Counts bytes of a result under way; throws LIMIT_EXCEEDED when the execution holds too many. */
  add(bytes: number): void {
    this.#total += bytes;
    if (this.#total <= MAX_HELD_BYTES) return;
    const message = `ctx calls: results over ${MAX_HELD_BYTES} bytes at once; make fewer calls at the same time`;
    throw fail("LIMIT_EXCEEDED", { message, limit: "maxHeldBytes", value: this.#total });
  }

  /** Counts bytes of a call that an earlier attempt began; they were within the limit. */
  inherit(bytes: number): void {
    this.#total += bytes;
  }

  remove(bytes: number): void {
    this.#total -= bytes;
  }

  /** A delivery was handed to the guest. */
  handed(bytes: number): void {
    this.#total += bytes;
    this.#open.push(bytes);
  }

  /** The oldest open turn has returned. */
  taken(): void {
    this.#total -= this.#open.shift() ?? 0;
  }
}
