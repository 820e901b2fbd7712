import { base64ToBytes } from "../base64.ts";
import { call } from "../call.ts";
import { makeOpError } from "../errors.ts";
import { current } from "../execution.ts";
import { parse, text } from "../primordials.ts";

const textOf = async (key: unknown) => (await call("accessories.read", { key, as: "text" })) as string;

async function jsonOf(key: unknown): Promise<unknown> {
  const content = await textOf(key);
  try {
    return parse(content);
  } catch (cause) {
    const why = cause instanceof Error ? cause.message : "unknown reason";
    const message = `accessories: "${String(key)}" is not JSON (${why})`;
    throw makeOpError("accessories.read", { code: "INVALID_ARGUMENT", message, details: {} }, new Error());
  }
}

/** ctx.accessories. */
export const accessories = {
  has: (key: unknown) => current().accessories.includes(text(key)),
  keys: () => [...current().accessories],
  json: jsonOf,
  text: textOf,
  bytes: async (key: unknown) => {
    const encoded = (await call("accessories.read", { key, as: "bytes" })) as string;
    return base64ToBytes(encoded) ?? new Uint8Array(0);
  },
};

/** ctx.load_accessory: the parsed JSON of an accessory. The fallback path means nothing on a server. */
export const loadAccessory = (key: unknown) => jsonOf(key);
