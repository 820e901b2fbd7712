import { bytesToBase64 } from "../base64.ts";
import { call } from "../call.ts";
import { makeOpError } from "../errors.ts";
import { current } from "../execution.ts";
import {
  bytesOf,
  charCodeAt,
  floor,
  isView,
  lengthOf,
  max,
  min,
  NativeArrayBuffer,
  NativeError,
  NativeUint8Array,
  parse,
  push,
  slice,
  stringify,
  subarray,
} from "../primordials.ts";
import { readBytes, readText } from "./read-parts.ts";

interface ReadOptions {
  readonly as?: unknown;
  readonly offset?: unknown;
  readonly length?: unknown;
}

const invalid = (message: string) =>
  makeOpError("files", { code: "INVALID_ARGUMENT", message: `files: ${message}`, details: {} }, new NativeError());

const wholeNumber = (value: unknown, field: string, otherwise: number): number => {
  if (value === undefined) return otherwise;
  if (typeof value === "number" && value >= 0 && floor(value) === value && value < 2 ** 53) return value;
  throw invalid(`${field} must be a whole number from 0`);
};

async function read(id: unknown, options: ReadOptions = {}): Promise<unknown> {
  const { as = "text", offset, length } = options;
  if (as === "bytes") {
    const from = wholeNumber(offset, "offset", 0);
    return readBytes("files.read", { id }, from, wholeNumber(length, "length", Infinity));
  }
  if (as !== "text" && as !== "json") throw invalid(`as must be "text", "bytes" or "json"`);
  if (offset !== undefined || length !== undefined) throw invalid(`offset and length go with as: "bytes" only`);
  const content = await readText("files.read", { id });
  if (as === "text") return content;
  try {
    return parse(content);
  } catch (cause) {
    throw invalid(`the file is not JSON (${cause instanceof NativeError ? cause.message : "unknown reason"})`);
  }
}

/** What is written, and the type it has where the script names none. */
interface Content {
  readonly data: string | Uint8Array;
  readonly type: string;
}

function contentOf(data: unknown): Content {
  if (typeof data === "string") return { data, type: "text/plain; charset=utf-8" };
  const type = "application/octet-stream";
  if (data instanceof NativeArrayBuffer) return { data: new NativeUint8Array(data), type };
  if (isView(data)) return { data: bytesOf(data), type };
  const json = stringify(data);
  if (json === undefined) throw invalid("data must be text, bytes or a JSON value");
  return { data: json, type: "application/json" };
}

/** Room in the arguments of one call for what goes with the data. */
const BESIDE = 2_000;
/** A character of text takes six at most once it is written as JSON; so base64, with its four for three, fits too. */
const WORST = 6;

/** The arguments that carry the piece beginning at `from`, and where the next one begins. */
function pieceOf(data: string | Uint8Array, from: number): { readonly args: object; readonly end: number } {
  const { maxArgBytes } = current().limits;
  const room = max(1, floor((maxArgBytes - min(BESIDE, maxArgBytes / 2)) / WORST));
  if (typeof data !== "string") {
    const end = min(lengthOf(data), from + room);
    return { args: { data: bytesToBase64(subarray(data, from, end)), encoding: "base64" }, end };
  }
  let end = min(data.length, from + room);
  const last = end < data.length ? charCodeAt(data, end - 1) : 0;
  // The halves of a character stay together.
  if (last >= 0xd800 && last < 0xdc00) end = end - 1 > from ? end - 1 : end + 1;
  return { args: { data: slice(data, from, end), encoding: "text" }, end };
}

async function write(name: unknown, value: unknown, options: Readonly<Record<string, unknown>> = {}): Promise<unknown> {
  const { data, type } = contentOf(value);
  const content_type = options["contentType"] ?? options["content_type"] ?? type;
  const length = typeof data === "string" ? data.length : lengthOf(data);
  let { args, end } = pieceOf(data, 0);
  if (end >= length) return call("files.write", { name, content_type, ...args });
  const pieces: unknown[] = [await call("files.piece", args)];
  while (end < length) {
    ({ args, end } = pieceOf(data, end));
    push(pieces, await call("files.piece", args));
  }
  return call("files.write", { name, content_type, pieces });
}

/** ctx.files. Large contents travel in pieces, each within the limits of one ctx call and of one turn. */
export const files = {
  read,
  write,
  stat: (id: unknown) => call("files.stat", { id }),
  list: () => call("files.list", null),
};
