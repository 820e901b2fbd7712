/** Pieces of files that executions are about to write, each under the position of the op that brought it. */
export interface PieceStore {
  /** Stores a piece; durable when it resolves. A repeat replaces it. */
  put(executionId: string, pos: number, bytes: Uint8Array): Promise<void>;
  /** Bytes of each piece, in order; null for one that is not there. */
  sizes(executionId: string, positions: readonly number[]): Promise<readonly (number | null)[]>;
  /** The bytes of the pieces, in order. */
  read(executionId: string, positions: readonly number[]): AsyncIterable<Uint8Array>;
  /** Bytes of all pieces of an execution. */
  total(executionId: string): Promise<number>;
  /** Executions that have pieces. */
  executions(): Promise<readonly string[]>;
  remove(executionId: string, positions: readonly number[]): Promise<void>;
  removeAll(executionId: string): Promise<void>;
}
