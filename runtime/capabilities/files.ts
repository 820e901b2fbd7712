import { type Fields, invalidIn, isFields, shown } from "./arguments.ts";
import { type Capability, defineOp } from "./capability.ts";
import { type Encoding, PIECE_BYTES, toPart } from "./read-part.ts";

interface ReadArgs {
  readonly id: string;
  readonly as: Encoding;
  readonly offset: number;
  readonly length: number;
}

interface WriteArgs {
  readonly name: string;
  readonly contentType: string;
  readonly content: Uint8Array | readonly number[];
}

/** Pieces that one file may be made of. */
const MAX_PIECES = 100_000;
const BASE64 = /^[A-Za-z0-9+/]*={0,2}$/;

const invalid = invalidIn("files");
const isOffset = (value: unknown): value is number => Number.isSafeInteger(value) && (value as number) >= 0;

function fieldsOf(args: unknown): Fields {
  if (isFields(args)) return args;
  throw invalid("arguments", `must be an object, got ${shown(args)}`);
}

function idOf({ id }: Fields): string {
  if (typeof id === "string") return id;
  throw invalid("id", `must be a string, got ${shown(id)}`);
}

function parseRead(args: unknown): ReadArgs {
  const fields = fieldsOf(args);
  const { as, offset = 0, length = PIECE_BYTES } = fields;
  if (!isOffset(offset)) throw invalid("offset", `must be a whole number from 0, got ${shown(offset)}`);
  if (!isOffset(length)) throw invalid("length", `must be a whole number from 0, got ${shown(length)}`);
  return { id: idOf(fields), as: as === "base64" ? "base64" : "text", offset, length: Math.min(length, PIECE_BYTES) };
}

function dataOf({ data, encoding }: Fields): Uint8Array {
  if (typeof data !== "string") throw invalid("data", `must be a string, got ${shown(data)}`);
  if (encoding !== "base64") return Buffer.from(data, "utf8");
  if (!BASE64.test(data)) throw invalid("data", "is not base64");
  return Buffer.from(data, "base64");
}

function piecesOf(pieces: unknown): readonly number[] {
  const isList = Array.isArray(pieces) && pieces.length <= MAX_PIECES && pieces.every(isOffset);
  if (isList) return pieces;
  throw invalid("pieces", `must be at most ${MAX_PIECES} positions, got ${shown(pieces)}`);
}

function parseWrite(args: unknown): WriteArgs {
  const fields = fieldsOf(args);
  const { name, content_type: type, pieces } = fields;
  if (typeof name !== "string") throw invalid("name", `must be a string, got ${shown(name)}`);
  if (type !== undefined && typeof type !== "string")
    throw invalid("contentType", `must be a string, got ${shown(type)}`);
  return { name, contentType: type ?? "", content: pieces === undefined ? dataOf(fields) : piecesOf(pieces) };
}

const stat = defineOp<string>({
  effect: "pure",
  kept: true,
  parse: (args) => idOf(fieldsOf(args)),
  run: async (id, { scope }) => JSON.stringify(await scope.files<"stat">({ kind: "stat", id })),
});

const read = defineOp<ReadArgs>({
  effect: "pure",
  kept: true,
  parse: parseRead,
  async run({ id, as, offset, length }, { scope, hold }) {
    const { info, bytes } = await scope.files<"read">({ kind: "read", id, offset, length });
    hold(bytes.byteLength * 2);
    return toPart({ bytes, offset, total: info.bytes, as });
  },
});

const list = defineOp<null>({
  effect: "pure",
  kept: true,
  parse: () => null,
  run: async (_args, { scope, pos }) => JSON.stringify(await scope.files<"list">({ kind: "list", pos })),
});

const piece = defineOp<Uint8Array>({
  effect: "pure",
  parse: (args) => dataOf(fieldsOf(args)),
  run: async (bytes, { scope, pos }) => JSON.stringify(await scope.files<"piece">({ kind: "piece", pos, bytes })),
  redo: (bytes, { scope, pos }) => scope.files<"piece">({ kind: "piece", pos, bytes }),
});

const write = defineOp<WriteArgs>({
  effect: "outside",
  parse: parseWrite,
  run: async ({ name, contentType, content }, { scope, pos }) =>
    JSON.stringify(await scope.files<"write">({ kind: "write", pos, name, contentType, content })),
  async redo({ content }, { scope }) {
    if (!(content instanceof Uint8Array)) await scope.files<"forget">({ kind: "forget", pieces: content });
  },
});

/** ctx.files: files that were uploaded, and files that the execution writes. */
export const files: Capability = {
  name: "files",
  ops: {
    "files.stat": stat,
    "files.read": read,
    "files.list": list,
    "files.piece": piece,
    "files.write": write,
  },
  declaration: `  /** Files of the account: read those whose id the input names, write those that the run leaves behind. */
  readonly files: Files;`,
  doc: {
    member: "files.read(id, { as }), files.write(name, data), files.stat(id), files.list()",
    sentence:
      "Reads uploaded files by id, and writes files that belong to the run: once, also when it is resumed, and downloadable later.",
    limits: ["maxFileBytes", "maxFiles", "maxAccountFileBytes"],
  },
};
