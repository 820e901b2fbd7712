import { fail } from "../errors.ts";
import { type Capability, defineOp } from "./capability.ts";

interface ReadArgs {
  readonly key: string;
  readonly as: "text" | "bytes";
}

const read = defineOp<ReadArgs>({
  effect: "pure",
  parse: (args) => {
    const { key, as } = (args ?? {}) as Partial<ReadArgs>;
    if (typeof key !== "string")
      throw fail("INVALID_ARGUMENT", { message: `accessories: key must be a string, got ${typeof key}` });
    return { key, as: as === "bytes" ? "bytes" : "text" };
  },
  async run({ key, as }, { scope, hold }) {
    const bytes = Buffer.from(await scope.accessory(key));
    hold(bytes.length * 2);
    return JSON.stringify(bytes.toString(as === "bytes" ? "base64" : "utf8"));
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
