import type { Chunk, LogLine } from "../../../runtime/index.ts";
import type { Store } from "../store.ts";
import type { Database } from "./database.ts";
import { holderOf } from "./holder.ts";
import type { Writer } from "./writer.ts";

type Output = Pick<Store, "appendOutput" | "readChunks" | "readLogs" | "mayHaveLog">;

/** One row holds a run of consecutive items: their packed members as one JSON array. */
interface BatchRow {
  readonly first: number;
  readonly items: string;
}

/** A kind of numbered output and its packed form, in which lists of thousands stay small and quick to write. */
interface Kind<T> {
  readonly code: number;
  pack(item: T): unknown;
  unpack(packed: never, index: number): T;
}

const MAX_ITEMS_PER_ROW = 512;

const CHUNKS: Kind<Chunk> = {
  code: 0,
  pack: (chunk) => [chunk.type, chunk.content, chunk.text ? 1 : 0],
  unpack: ([type, content, text]: [string, string, number], index) => ({ index, type, content, text: text === 1 }),
};

const LOGS: Kind<LogLine> = {
  code: 1,
  pack: (line) => [line.level, line.at, line.message, line.fields],
  unpack: ([level, at, message, fields]: [LogLine["level"], number, string, string | null], index) => ({
    index,
    level,
    at,
    message,
    fields,
  }),
};

const LAST = "SELECT last FROM output WHERE execution = ? AND kind = ? ORDER BY last DESC LIMIT 1";
const INSERT = "INSERT INTO output (execution, kind, last, first, items) VALUES (?, ?, ?, ?, ?)";
const READ = `SELECT o.first, o.items FROM executions e JOIN output o ON o.execution = e.number
  WHERE e.id = ? AND o.kind = ? AND o.last >= ? ORDER BY o.last`;
// SQLite knows the size of a text without reading it.
const SIZE = `SELECT e.number, sum(octet_length(o.items)) AS bytes FROM executions e JOIN output o ON o.execution = e.number
  WHERE e.id = ? AND o.kind = ?`;
const HAS_TEXT = "SELECT 1 FROM output WHERE execution = ? AND kind = ? AND instr(items, ?) > 0 LIMIT 1";
/** Bytes of a log that are looked through at a time: about a millisecond. */
const MAX_LOOK = 1024 * 1024;

function append<T extends { readonly index: number }>(
  db: Database,
  execution: number,
  kind: Kind<T>,
  items: readonly T[],
): void {
  if (items.length === 0) return;
  let next = (db.get<{ last: number }>(LAST, execution, kind.code)?.last ?? -1) + 1;
  let row: T[] = [];
  const flush = () => {
    if (row.length === 0) return;
    db.run(INSERT, execution, kind.code, next - 1, next - row.length, JSON.stringify(row.map(kind.pack)));
    row = [];
  };
  for (const item of items) {
    if (item.index < next) continue;
    if (item.index > next || row.length === MAX_ITEMS_PER_ROW) flush();
    row.push(item);
    next = item.index + 1;
  }
  flush();
}

function read<T>(db: Database, kind: Kind<T>, params: { executionId: string; from: number; limit: number }): T[] {
  const { executionId, from, limit } = params;
  const found: T[] = [];
  if (limit <= 0) return found;
  for (const { first, items } of db.iterate<BatchRow>(READ, executionId, kind.code, from)) {
    const packed = JSON.parse(items) as never[];
    for (let at = Math.max(0, from - first); at < packed.length && found.length < limit; at += 1) {
      found.push(kind.unpack(packed[at] as never, first + at));
    }
    if (found.length >= limit) break;
  }
  return found;
}

/** Stores chunks and log lines of an execution; an index already stored is skipped. */
export function appendOutput(
  db: Database,
  execution: number,
  output: { readonly chunks: readonly Chunk[]; readonly logs: readonly LogLine[] },
): void {
  append(db, execution, CHUNKS, output.chunks);
  append(db, execution, LOGS, output.logs);
}

/** Chunks and log lines, numbered within their execution. */
export function createOutput(db: Database, writer: Writer): Output {
  return {
    appendOutput: ({ lease, chunks, logs }) =>
      writer.write(() => {
        const holder = holderOf(db, lease);
        if (holder !== null) appendOutput(db, holder.number, { chunks, logs });
      }),
    async readChunks(params) {
      return read(db, CHUNKS, params);
    },
    async mayHaveLog({ executionId, beginning }) {
      const log = db.get<{ number: number | null; bytes: number | null }>(SIZE, executionId, LOGS.code);
      if (log === undefined || log.number === null || log.bytes === null) return false;
      if (log.bytes > MAX_LOOK) return true;
      // As packed behind the time; quotes within a text are escaped.
      const packed = `,${JSON.stringify(beginning).slice(0, -1)}`;
      return db.get(HAS_TEXT, log.number, LOGS.code, packed) !== undefined;
    },
    async readLogs(params) {
      return read(db, LOGS, params);
    },
  };
}
