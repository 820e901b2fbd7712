import type { Dialect } from "../dialect.ts";
import { ERROR_SCHEMA, toError } from "./errors.ts";
import { registerFiles } from "./files.ts";
import { registerWorkflows } from "./workflows.ts";

/** The API of Hatz AI: apps that run as jobs, and files. */
export const hatz: Dialect = {
  name: "hatz",
  prefixes: ["/v1/files/", "/v1/workflows/", "/v1/app/"],
  toError,
  errorSchema: ERROR_SCHEMA,
  register(app, deps) {
    registerWorkflows(app, deps);
    registerFiles(app, deps);
  },
};
