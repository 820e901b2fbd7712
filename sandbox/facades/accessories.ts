import { makeOpError } from "../errors.ts";
import { current } from "../execution.ts";
import { parse, text } from "../primordials.ts";
import { readBytes, readText } from "./read-parts.ts";

const textOf = (key: unknown) => readText("accessories.read", { key });

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
  bytes: (key: unknown) => readBytes("accessories.read", { key }),
};

/** ctx.load_accessory: the parsed JSON of an accessory. The fallback path means nothing on a server. */
export const loadAccessory = (key: unknown) => jsonOf(key);
