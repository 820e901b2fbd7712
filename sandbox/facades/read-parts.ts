import { base64ToBytes } from "../base64.ts";
import { call } from "../call.ts";
import { join, lengthOf, max, min, NativeUint8Array, push, setBytes } from "../primordials.ts";

interface Part {
  readonly data: string;
  /** Where the next part begins; null after the last. */
  readonly next: number | null;
  readonly bytes: number;
}

const partOf = async (op: string, args: object) => (await call(op, args)) as Part;

/** Reads all of a text, part by part: each is within the limits of one turn. */
export async function readText(op: string, args: object): Promise<string> {
  const texts: string[] = [];
  for (let next: number | null = 0; next !== null; ) {
    const part: Part = await partOf(op, { ...args, as: "text", offset: next });
    push(texts, part.data);
    next = part.next;
  }
  return join(texts, "");
}

/** Reads up to `length` bytes from `from`, part by part. */
export async function readBytes(op: string, args: object, from = 0, length = Infinity): Promise<Uint8Array> {
  let all: Uint8Array | null = null;
  let at = 0;
  for (let next: number | null = from; next !== null; ) {
    const left: number = all === null ? length : lengthOf(all) - at;
    const part: Part = await partOf(op, {
      ...args,
      as: "base64",
      offset: next,
      ...(left < Infinity ? { length: left } : {}),
    });
    const bytes = base64ToBytes(part.data) ?? new NativeUint8Array(0);
    all ??= new NativeUint8Array(max(0, min(length, part.bytes - from)));
    setBytes(all, bytes, at);
    at += lengthOf(bytes);
    next = at < lengthOf(all) ? part.next : null;
  }
  return all ?? new NativeUint8Array(0);
}
