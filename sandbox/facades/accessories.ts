import { makeOpError } from "../errors.ts";
import { current } from "../execution.ts";
import { listHas, NativeError, parse, push, text } from "../primordials.ts";
import { readBytes, readText } from "./read-parts.ts";

const textOf = (key: unknown) => readText("accessories.read", { key });

async function jsonOf(key: unknown): Promise<unknown> {
  const content = await textOf(key);
  try {
    return parse(content);
  } catch (cause) {
    const why = cause instanceof NativeError ? cause.message : "unknown reason";
    const message = `accessories: "${text(key)}" is not JSON (${why})`;
    throw makeOpError("accessories.read", { code: "INVALID_ARGUMENT", message, details: {} }, new NativeError());
  }
}

/** ctx.accessories. */
export const accessories = {
  has: (key: unknown) => listHas(current().accessories, text(key)),
  keys() {
    const all: string[] = [];
    const { accessories: known } = current();
    for (let i = 0; i < known.length; i++) push(all, known[i]);
    return all;
  },
  json: jsonOf,
  text: textOf,
  bytes: (key: unknown) => readBytes("accessories.read", { key }),
};

/** ctx.load_accessory: the parsed JSON of an accessory. The fallback path means nothing on a server. */
export const loadAccessory = (key: unknown) => jsonOf(key);
