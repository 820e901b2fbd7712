/** Pieces of files that running executions are about to write, each under the position of the op that brought it. They need not survive the process: a replay brings them again. */
export interface PieceStore {
  /** Stores a piece. */
  put(executionId: string, pos: number, bytes: Uint8Array): Promise<void>;
  /** The bytes of the pieces, in order. */
  read(executionId: string, positions: readonly number[]): AsyncIterable<Uint8Array>;
  remove(executionId: string, positions: readonly number[]): Promise<void>;
  /** Removes all of an execution. */
  removeAll(executionId: string): Promise<void>;
  /** Removes what an earlier process left. */
  clear(): Promise<void>;
}
