import { parse } from "yaml";
import { fromDify, isDify } from "./dify.ts";
import { fromFlowise, isFlowise } from "./flowise.ts";
import { ImportError, type Imported, isFields } from "./imported.ts";
import { fromN8n, isN8n } from "./n8n.ts";

/** Products whose exports are understood. */
export const PRODUCTS = ["n8n", "dify", "flowise"] as const;

/** One of {@link PRODUCTS}. */
export type Product = (typeof PRODUCTS)[number];

export type { Imported };
export { ImportError };

const READERS = { n8n: fromN8n, dify: fromDify, flowise: fromFlowise };
const TESTS: readonly (readonly [Product, (document: unknown) => boolean])[] = [
  ["n8n", isN8n],
  ["dify", isDify],
  ["flowise", isFlowise],
];
/** Bytes of an export. */
const MAX_BYTES = 5_000_000;
/** Levels of an export. */
const MAX_DEPTH = 100;

function read(text: string): unknown {
  if (Buffer.byteLength(text) > MAX_BYTES) throw new ImportError(`the export has over ${MAX_BYTES} bytes`);
  try {
    return text.trimStart().startsWith("{") ? JSON.parse(text) : parse(text, { maxAliasCount: 100 });
  } catch (cause) {
    throw new ImportError(`the export is neither JSON nor YAML: ${(cause as Error).message.split("\n", 1)[0]}`);
  }
}

function checkDepth(document: unknown): void {
  let level: unknown[] = [document];
  for (let depth = 0; level.length > 0; depth++) {
    if (depth > MAX_DEPTH) throw new ImportError(`the export is nested deeper than ${MAX_DEPTH} levels`);
    level = level.flatMap((value) => (typeof value === "object" && value !== null ? Object.values(value) : []));
  }
}

/** Reads an export (JSON, or YAML for Dify) of a product; null: whichever it is. Throws ImportError. */
export function importWorkflow(text: string, from: Product | null): Imported & { readonly product: Product } {
  const document = read(text);
  checkDepth(document);
  if (!isFields(document)) throw new ImportError("the export must be an object");
  const product = from ?? TESTS.find(([, test]) => test(document))?.[0];
  if (product === undefined)
    throw new ImportError(
      `this is no export of ${PRODUCTS.join(", ")} that could be recognised; say which with --from`,
    );
  return { product, ...READERS[product](document) };
}
