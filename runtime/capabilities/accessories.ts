import { invalidIn, isFields, shown } from "./arguments.ts";
import { type Capability, defineOp } from "./capability.ts";
import { type Encoding, PIECE_BYTES, toPart } from "./read-part.ts";

interface ReadArgs {
  readonly key: string;
  readonly as: Encoding;
  readonly offset: number;
}

const invalid = invalidIn("accessories");

const read = defineOp<ReadArgs>({
  effect: "pure",
  again: 4_096,
  parse(args) {
    const { key, as, offset = 0 } = isFields(args) ? args : {};
    if (typeof key !== "string") throw invalid("key", `must be a string, got ${typeof key}`);
    if (!Number.isSafeInteger(offset) || (offset as number) < 0)
      throw invalid("offset", `must be a whole number from 0, got ${shown(offset)}`);
    return { key, as: as === "base64" ? "base64" : "text", offset: offset as number };
  },
  async run({ key, as, offset }, { scope, hold }) {
    const { bytes, total } = await scope.accessory({ key, offset, length: PIECE_BYTES });
    hold(bytes.byteLength * 2);
    return toPart({ bytes, offset, total, as });
  },
});

/** ctx.accessories and ctx.load_accessory: read-only files of the workflow's version. */
export const accessories: Capability = {
  name: "accessories",
  ops: { "accessories.read": read },
  declaration: `  /** Parsed JSON of the accessory uploaded under \`key\`. */
  load_accessory<T = any>(key: string, fallback_path?: string): Promise<T>;
  /** Read-only files uploaded with the workflow. */
  readonly accessories: Accessories;`,
  doc: {
    member: "load_accessory(key), accessories",
    sentence: "Read-only files uploaded with the workflow and versioned with it.",
    limits: ["maxAccessoryBytes", "maxAccessories"],
  },
};
