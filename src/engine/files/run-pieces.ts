import { fail, type Limits } from "../../../runtime/index.ts";
import type { PieceStore, Store } from "../../store/store.ts";
import type { UnderWay } from "./under-way.ts";

/** An execution, and whose it is. */
interface Writer {
  readonly accountId: string;
  readonly executionId: string;
}

interface Kept {
  readonly accountId: string;
  readonly sizes: Map<number, number>;
  /** Bytes on the disk. */
  sum: number;
}

interface RunPiecesOptions {
  readonly store: Pick<Store, "fileTotals">;
  readonly pieces: PieceStore;
  readonly underWay: UnderWay;
  readonly limits: Limits;
}

/** Files of full size whose pieces one execution may keep at once. */
const MAX_FILES_IN_PIECES = 4;
/** What even the smallest piece takes on the disk, bytes. */
const LEAST_BYTES = 4_096;

const sizeOnDisk = (bytes: number) => Math.max(bytes, LEAST_BYTES);

/** Pieces of files that running executions are about to write. They last as long as the attempt that brought them: the next one brings them again. */
export class RunPieces {
  readonly #options: RunPiecesOptions;
  readonly #kept = new Map<string, Kept>();

  constructor(options: RunPiecesOptions) {
    this.#options = options;
  }

  /** Keeps a piece; LIMIT_EXCEEDED naming what is passed. A repeat replaces it. */
  async put({ accountId, executionId }: Writer, pos: number, bytes: Uint8Array): Promise<void> {
    const { pieces } = this.#options;
    const known = this.#kept.get(executionId) ?? { accountId, sizes: new Map<number, number>(), sum: 0 };
    await this.remove(executionId, [pos]);
    await this.#takeRoom(known, sizeOnDisk(bytes.byteLength));
    this.#kept.set(executionId, known);
    known.sizes.set(pos, bytes.byteLength);
    await pieces.put(executionId, pos, bytes);
  }

  async #takeRoom(known: Kept, bytes: number): Promise<void> {
    const { store, underWay, limits } = this.#options;
    const sum = known.sum + bytes;
    const most = MAX_FILES_IN_PIECES * limits.maxFileBytes;
    if (sum > most) {
      const message = `files.write: ${sum} bytes of contents that are not written yet, over ${most} (${MAX_FILES_IN_PIECES} × maxFileBytes)`;
      throw fail("LIMIT_EXCEEDED", { message, limit: "maxFileBytes", value: sum });
    }
    const { maxAccountFileBytes } = limits;
    const stored = (await store.fileTotals({ accountId: known.accountId })).bytes;
    if (!underWay.take(known.accountId, bytes, maxAccountFileBytes - stored)) {
      const message = `files.write: all files of the account, and what is on its way, take over ${maxAccountFileBytes} bytes (maxAccountFileBytes); delete some first`;
      throw fail("LIMIT_EXCEEDED", { message, limit: "maxAccountFileBytes", value: maxAccountFileBytes });
    }
    known.sum = sum;
  }

  /** Bytes of pieces together; INVALID_ARGUMENT when one is not there. */
  bytesOf(executionId: string, positions: readonly number[]): number {
    const sizes = this.#kept.get(executionId)?.sizes;
    let sum = 0;
    for (const pos of positions) {
      const bytes = sizes?.get(pos);
      if (bytes === undefined)
        throw fail("INVALID_ARGUMENT", {
          message: `files.write: the piece of call ${pos} is missing`,
          field: "pieces",
        });
      sum += bytes;
    }
    return sum;
  }

  read(executionId: string, positions: readonly number[]): AsyncIterable<Uint8Array> {
    return this.#options.pieces.read(executionId, positions);
  }

  async remove(executionId: string, positions: readonly number[]): Promise<void> {
    const known = this.#kept.get(executionId);
    const there = positions.filter((pos) => known?.sizes.has(pos));
    if (known === undefined || there.length === 0) return;
    await this.#options.pieces.remove(executionId, there);
    for (const pos of new Set(there)) {
      const bytes = sizeOnDisk(known.sizes.get(pos) ?? 0);
      known.sizes.delete(pos);
      known.sum -= bytes;
      this.#options.underWay.give(known.accountId, bytes);
    }
  }

  /** Removes all pieces of an execution. */
  async leave(executionId: string): Promise<void> {
    const known = this.#kept.get(executionId);
    if (known === undefined) return;
    this.#kept.delete(executionId);
    await this.#options.pieces.removeAll(executionId);
    this.#options.underWay.give(known.accountId, known.sum);
  }
}
