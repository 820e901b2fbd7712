import { fail } from "../../../runtime/index.ts";

/** Bytes of each account that are on the disk and in no row yet: uploads under way, and pieces of files that runs write. */
export class UnderWay {
  readonly #bytes = new Map<string, number>();

  /** Adds bytes; false, and nothing is added, when all of the account would then be over `room`. */
  take(accountId: string, bytes: number, room: number): boolean {
    const sum = (this.#bytes.get(accountId) ?? 0) + bytes;
    if (sum > room) return false;
    this.#bytes.set(accountId, sum);
    return true;
  }

  /** Gives bytes back. */
  give(accountId: string, bytes: number): void {
    const sum = (this.#bytes.get(accountId) ?? 0) - bytes;
    if (sum > 0) this.#bytes.set(accountId, sum);
    else this.#bytes.delete(accountId);
  }

  /** Passes `source` on; PAYLOAD_TOO_LARGE once all that the account sends takes more than `room` bytes. */
  async *count(accountId: string, room: number, source: AsyncIterable<Uint8Array>): AsyncIterable<Uint8Array> {
    let own = 0;
    try {
      for await (const piece of source) {
        if (!this.take(accountId, piece.byteLength, room)) {
          const message = `files: all uploads of the account take over ${room} bytes, all that maxAccountFileBytes leaves; delete some files first`;
          throw fail("PAYLOAD_TOO_LARGE", { message, limit: "maxAccountFileBytes", value: room });
        }
        own += piece.byteLength;
        yield piece;
      }
    } finally {
      this.give(accountId, own);
    }
  }
}
