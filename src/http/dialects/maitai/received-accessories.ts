import { fail } from "../../../../runtime/index.ts";
import type { Received } from "../../../engine/types.ts";
import { pieces } from "../../incoming.ts";
import type { DialectDeps, MultipartFile, Reply } from "../dialect.ts";
import { tooLarge } from "./form.ts";

/** Parts with an accessory; the key follows. */
export const ACCESSORY_PART = "accessory_";

/** An accessory of a form, whose content waits on the disk. */
export interface ReceivedFile {
  readonly filename: string;
  readonly received: Received;
}

const isReceived = (value: unknown): value is ReceivedFile =>
  typeof value === "object" && value !== null && "received" in value;

/** The accessories that came as the part `name`; INVALID_REQUEST for one that is no file. */
export function accessoriesOfPart(name: string, value: unknown): readonly (ReceivedFile & { readonly key: string })[] {
  const all: readonly unknown[] = Array.isArray(value) ? value : [value];
  const key = name.slice(ACCESSORY_PART.length);
  if (all.every(isReceived)) return all.map((file) => ({ key, ...file }));
  throw fail("INVALID_REQUEST", { message: `${name}: must be a file (a part with a file name)`, param: name });
}

async function* capped(part: MultipartFile, maxBytes: number): AsyncIterable<Uint8Array> {
  let bytes = 0;
  for await (const piece of pieces(part.file)) {
    bytes += piece.byteLength;
    if (bytes > maxBytes) throw tooLarge(part.fieldname, maxBytes, "maxAccessoryBytes");
    yield piece;
  }
}

/** Makes what takes the accessories of one form to the disk, as they come; what no version has when the answer is out is thrown away. */
export function receiveAccessories(
  { workflows, limits }: Pick<DialectDeps, "workflows" | "limits">,
  reply: Reply,
): (part: MultipartFile) => Promise<ReceivedFile> | null {
  const all: Received[] = [];
  const discard = () => Promise.all(all.map((received) => workflows.discardAccessory(received)));
  reply.raw.once("close", () => void discard().catch(() => undefined));
  const receive = async (part: MultipartFile): Promise<ReceivedFile> => {
    const received = await workflows.receiveAccessory(capped(part, limits.maxAccessoryBytes));
    all.push(received);
    if (reply.raw.destroyed) await discard();
    return { filename: part.filename, received };
  };
  return (part) => (part.fieldname.startsWith(ACCESSORY_PART) ? receive(part) : null);
}
