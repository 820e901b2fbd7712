import { fail } from "../../../runtime/index.ts";

/** Bytes of uploads under way, so that many at once do not fill the disk beyond an account's quota. */
export class UnderWay {
  readonly #bytes = new Map<string, number>();

  /** Passes `source` on; PAYLOAD_TOO_LARGE once all that the account sends takes more than `room` bytes. */
  async *count(accountId: string, room: number, source: AsyncIterable<Uint8Array>): AsyncIterable<Uint8Array> {
    let own = 0;
    try {
      for await (const piece of source) {
        own += piece.byteLength;
        if (this.#add(accountId, piece.byteLength) > room) {
          const message = `files: all uploads of the account take over ${room} bytes, all that maxAccountFileBytes leaves; delete some files first`;
          throw fail("PAYLOAD_TOO_LARGE", { message, limit: "maxAccountFileBytes", value: room });
        }
        yield piece;
      }
    } finally {
      this.#add(accountId, -own);
    }
  }

  #add(accountId: string, bytes: number): number {
    const sum = (this.#bytes.get(accountId) ?? 0) + bytes;
    if (sum === 0) this.#bytes.delete(accountId);
    else this.#bytes.set(accountId, sum);
    return sum;
  }
}
