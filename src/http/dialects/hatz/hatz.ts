import type { Dialect } from "../dialect.ts";
import { ERROR_SCHEMA, toError } from "./errors.ts";
import { registerFiles } from "./files.ts";

/** The API of Hatz AI: files so far. */
export const hatz: Dialect = {
  name: "hatz",
  prefixes: ["/v1/files/"],
  toError,
  errorSchema: ERROR_SCHEMA,
  register: registerFiles,
};
