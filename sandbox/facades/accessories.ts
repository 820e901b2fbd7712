import { base64ToBytes } from "../base64.ts";
import { call } from "../call.ts";
import { makeOpError } from "../errors.ts";
import { parse } from "../primordials.ts";

const textOf = async (key: unknown) => (await call("accessories.read", { key, as: "text" })) as string;

async function jsonOf(key: unknown): Promise<unknown> {
  const text = await textOf(key);
  try {
    return parse(text);
  } catch (cause) {
    const why = cause instanceof Error ? cause.message : "unknown reason";
    const message = `accessories: "${String(key)}" is not JSON (${why})`;
    throw makeOpError("accessories.read", { code: "INVALID_ARGUMENT", message, details: {} }, new Error());
  }
}

/** ctx.accessories over the keys of this version. */
export function createAccessories(keys: readonly string[]): object {
  return {
    has: (key: unknown) => keys.includes(String(key)),
    keys: () => [...keys],
    json: jsonOf,
    text: textOf,
    bytes: async (key: unknown) => {
      const encoded = (await call("accessories.read", { key, as: "bytes" })) as string;
      return base64ToBytes(encoded) ?? new Uint8Array(0);
    },
  };
}

/** ctx.load_accessory: the parsed JSON of an accessory. The fallback path means nothing on a server. */
export const loadAccessory = (key: unknown) => jsonOf(key);
